"""The interval of a mean of scores between 0 and 1, which holds for few cases and for scores that are nearly all 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmseg.errors import UserError
from llmseg.stats.options import check_fraction
from llmseg.stats.resampling import DRAWS, estimate

_BLOCK = 2**22
"""Weights that are drawn at once: 32 MiB, however many groups there are."""


def bounded_interval(
    sums: Sequence[np.ndarray], sizes: Sequence[np.ndarray], *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence intervals for means of scores that lie between 0 and 1.

    An interval from the spread of seven scores fails where the scores that matter are rare: seven zeros have no spread.
    Gaffke's bound adds to the scores the worst that a further case could show, 0 for the lower end and 1 for the
    upper, and weighs all of them at random. It is wider than other intervals for few cases, and alike for many.

    The deviations of independent parts are combined by squares and kept apart for the two ends (MOVER): those of
    datasets, and that of seeds. Seeds add what they add to the square of half of Student's interval.

    Sources: Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
    variable", Mathematical Methods of Statistics 14 (2005); Zou and Donner, "Construction of confidence limits about
    effect measures", Statistics in Medicine 27 (2008).

    Args:
        sums: Per dataset, sums over the cases of a group, float ``[K, S, G]``.
        sizes: Per dataset, number of cases of the groups, float ``[G]``.
        level: Confidence level, between 0 and 1.
        draws: Number of random weightings.
        seed: Seed of the weightings.

    Returns:
        The lower and the upper ends, float ``[K]`` each, between 0 and 1; NaN where a dataset has one group only.

    Raises:
        UserError: A group's mean is below 0 or above 1, or the level is not between 0 and 1.

    Example:
        >>> low, high = bounded_interval([np.zeros((1, 1, 7))], [np.ones(7)])
        >>> float(low[0]), round(float(high[0]), 2)
        (0.0, 0.41)
    """
    check_fraction("level", level)
    for group_sums, group_sizes in zip(sums, sizes, strict=True):
        _check_range(group_sums, group_sizes)
    generator = np.random.default_rng(seed)
    datasets, means = len(sums), np.zeros(len(sums[0]))
    below, above = np.zeros_like(means), np.zeros_like(means)
    for group_sums, group_sizes in zip(sums, sizes, strict=True):
        averaged = group_sums.mean(axis=1)
        mean = averaged.sum(axis=1) / group_sizes.sum()
        low, high = _gaffke_bounds(averaged, group_sizes, (1 - level) / 2, draws, generator)
        means += mean / datasets
        below += ((mean - low) / datasets) ** 2
        above += ((high - mean) / datasets) ** 2
    of_seeds = _measure_seeds(sums, sizes, level)
    low, high = means - np.sqrt(below + of_seeds), means + np.sqrt(above + of_seeds)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def _gaffke_bounds(
    sums: np.ndarray, sizes: np.ndarray, tail: float, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of the means of one dataset: sums float ``[K, G]``, sizes float ``[G]``; float ``[K]`` each."""
    groups = len(sizes)
    lows, highs = [], []
    for start in range(0, draws, _BLOCK // (groups + 1) or 1):
        rows = min(draws - start, _BLOCK // (groups + 1) or 1)
        weights = generator.standard_exponential((rows, groups + 1))
        # The further case is a group of the usual size.
        further = weights[:, groups] * sizes.mean()
        total = weights[:, :groups] @ sizes + further
        low = weights[:, :groups] @ sums.T / total[:, None]
        lows.append(low)
        highs.append(low + (further / total)[:, None])
    low, high = np.quantile(np.concatenate(lows), tail, axis=0), np.quantile(np.concatenate(highs), 1 - tail, axis=0)
    return low, high


def _measure_seeds(sums: Sequence[np.ndarray], sizes: Sequence[np.ndarray], level: float) -> np.ndarray:
    """Return the square of what seeds add to half of Student's interval, float ``[K]``; NaN for a single group."""
    averaged = [group_sums.mean(axis=1, keepdims=True) for group_sums in sums]
    squares = []
    for given in (sums, averaged):
        low, high = estimate(given, sizes).interval(level)
        squares.append(((high - low) / 2) ** 2)
    extra: np.ndarray = np.maximum(squares[0] - squares[1], 0)
    return extra


def _check_range(sums: np.ndarray, sizes: np.ndarray) -> None:
    means = sums / sizes
    # A sum of scores of exactly 1 may be off by rounding.
    outside = means[(means < -1e-9) | (means > 1 + 1e-9)]
    if len(outside):
        raise UserError(
            f"a score of {outside[0]:g} is not between 0 and 1; use the method bootstrap for such a measure"
        )
