"""The confidence interval of one mean over cases in groups, and over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.bounded import bounded_interval
from llmseg.stats.resampling import DRAWS, estimate

Law = Literal["student", "bounded", "bootstrap"]


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        mean: Mean over all values.
        low: Lower end; NaN for one group, whose spread cannot be known.
        high: Upper end, likewise.
        level: Confidence level: the share of such intervals that hold the true mean.
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
    """Return the mean of values with a confidence interval that takes groups and seeds into account.

    Cases of one group (a video, a patient) are not independent of each other, and neither are the scores of one
    training. The interval therefore counts groups and seeds, see :func:`llmseg.stats.estimate`. With one
    seed, it leaves out the luck of training.

    Args:
        scores: A row per case and seed, with ``group``, ``seed`` and ``value``; every seed has the same cases.
        level: Confidence level, between 0 and 1.
        law: ``student`` for paired differences, which holds with seven groups already; ``bounded`` for scores of a
            single contender between 0 and 1, see :func:`llmseg.stats.bounded_interval`; ``bootstrap`` (studentised)
            for scores of a single contender in another measure.

    Raises:
        UserError: There are no rows, a value is not a number, seeds have different cases, or the level is not between
            0 and 1.

    Example:
        >>> scores = pd.DataFrame({"group": list("abcd"), "seed": 0, "value": [0.1, 0.2, 0.3, 0.4]})
        >>> interval = mean_interval(scores)
        >>> round(interval.low, 3), round(interval.mean, 3), round(interval.high, 3), interval.groups
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
    estimates = estimate([sums[None]], [sizes[0]], draws=DRAWS if law == "bootstrap" else 0)
    ends = bounded_interval([sums[None]], [sizes[0]], level=level) if law == "bounded" else estimates.interval(level)
    low, high = (float(end[0]) for end in ends)
    return Interval(float(estimates.means[0]), low, high, level, estimates.groups, estimates.seeds)
