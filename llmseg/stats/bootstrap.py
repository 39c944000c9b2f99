"""Intervals of means by resampling what is independent: groups of cases, and seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg.errors import UserError

DRAWS = 4000
"""Resamples; the ends of a 95 % interval then move by less than a twentieth of its width."""


@dataclass(frozen=True)
class Interval:
    """A mean with an interval.

    Attributes:
        mean: Mean over all values.
        low: Lower end.
        high: Upper end.
        level: Share of intervals that shall hold the true mean.
        groups: Number of groups that were resampled.
        seeds: Number of seeds that were resampled.
    """

    mean: float
    low: float
    high: float
    level: float
    groups: int
    seeds: int


def mean_interval(scores: pd.DataFrame, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the mean of values with an interval that knows what belongs together.

    Cases of one group (a video, a patient) are no news to each other, and neither are the cases of one training. So
    groups and seeds are drawn with replacement, both in every resample, and percentiles of the resampled means are the
    interval. One seed, or one group, is not resampled: its spread cannot be known.

    With few groups such an interval is too narrow; ten is few.

    Args:
        scores: A row per case and seed, with ``group``, ``seed`` and ``value``.
        level: Share of intervals that shall hold the true mean.
        draws: Number of resamples.
        seed: Seed of the resampling.

    Raises:
        UserError: There are no rows, a value is no number, or the level is not between 0 and 1.

    Example:
        >>> scores = pd.DataFrame({"group": list("abcd"), "seed": 0, "value": [0.1, 0.2, 0.3, 0.4]})
        >>> found = mean_interval(scores)
        >>> round(found.mean, 3), found.low < found.mean < found.high, found.groups
        (0.25, True, 4)
    """
    if not 0 < level < 1:
        raise UserError(f"level is {level}; it must be above 0 and below 1")
    if scores.empty:
        raise UserError("there are no values to average; choose a measure that applies to these cases")
    undefined = int((~np.isfinite(scores["value"])).sum())
    if undefined:
        raise UserError(f"{undefined} of {len(scores)} values are no numbers; leave them out, or give them a value")
    cells = scores.groupby(["seed", "group"])["value"].agg(["sum", "count"]).unstack(fill_value=0)
    sums, counts = (cells[name].to_numpy(float) for name in ("sum", "count"))
    generator = np.random.default_rng(seed)
    by_seed, by_group = (_weights(generator, size, draws) for size in sums.shape)
    above, below = (np.einsum("ds,sg,dg->d", by_seed, table, by_group) for table in (sums, counts))
    means = above[below > 0] / below[below > 0]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(scores["value"].mean()), float(low), float(high), level, sums.shape[1], sums.shape[0])


def _weights(generator: np.random.Generator, size: int, draws: int) -> np.ndarray:
    """Return how often each of some things is drawn, ``[draws, size]``."""
    weights: np.ndarray = generator.multinomial(size, np.full(size, 1 / size), draws).astype(float)
    return weights
