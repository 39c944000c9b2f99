"""The interval of one mean over cases in groups, and over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.resampling import DRAWS, estimate

Law = Literal["student", "bootstrap"]


@dataclass(frozen=True)
class Interval:
    """A mean with an interval.

    Attributes:
        mean: Mean over all values.
        low: Lower end; not a number for one group, whose spread cannot be known.
        high: Upper end, likewise.
        level: Share of intervals that shall hold the true mean.
        groups: Number of groups.
        seeds: Number of seeds.
    """

    mean: float
    low: float
    high: float
    level: float
    groups: int
    seeds: int


def mean_interval(scores: pd.DataFrame, *, level: float = 0.95, law: Law = "student") -> Interval:
    """Return the mean of values with an interval that knows what belongs together.

    Cases of one group (a video, a patient) are no news to each other, and neither are the cases of one training, so
    both groups and seeds count, see :func:`llmseg.stats.resampling.estimate`. The luck of a single seed is not in the
    interval.

    Args:
        scores: A row per case and seed, with ``group``, ``seed`` and ``value``; every seed has the same cases.
        level: Share of intervals that shall hold the true mean.
        law: ``student``, which holds for paired differences also with seven groups, or ``bootstrap`` (studentised),
            which follows the skewed scores of a single contender.

    Raises:
        UserError: There are no rows, a value is no number, seeds have different cases, or the level is not between 0
            and 1.

    Example:
        >>> scores = pd.DataFrame({"group": list("abcd"), "seed": 0, "value": [0.1, 0.2, 0.3, 0.4]})
        >>> found = mean_interval(scores)
        >>> round(found.low, 3), round(found.mean, 3), round(found.high, 3), found.groups
        (0.045, 0.25, 0.455, 4)
    """
    if scores.empty:
        raise UserError("there are no values to average; choose a measure that applies to these cases")
    undefined = int((~np.isfinite(scores["value"])).sum())
    if undefined:
        raise UserError(f"{undefined} of {len(scores)} values are no numbers; leave them out, or give them a value")
    cells = scores.groupby(["seed", "group"])["value"].agg(["sum", "count"]).unstack(fill_value=0)
    sums, sizes = (cells[name].to_numpy(float) for name in ("sum", "count"))
    if (sizes != sizes[0]).any():
        raise UserError("seeds have different cases; leave out those that some seed lacks")
    found = estimate([sums[None]], [sizes[0]], draws=DRAWS if law == "bootstrap" else 0)
    low, high = (float(end[0]) for end in found.interval(level))
    return Interval(float(found.means[0]), low, high, level, found.groups, found.seeds)
