"""How well two rankings of the same contenders agree, with an interval that few contenders and ties make wide."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from llmseg.errors import UserError
from llmseg.stats.options import check_choice, check_fraction
from llmseg.stats.rank_agreement import kendall

Coefficient = Literal["kendall", "spearman"]

_DRAWS = 2000
_STEPS = 14
"""Halvings of the range in which an end of the interval lies, after which it is known to some 0.0001."""

_SLACK = 1e-9
"""Coefficients that are closer than this are equal but for rounding."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well two rankings agree: 1 for the same order, -1 for the reverse, 0 for orders that are unrelated.

    Attributes:
        coefficient: ``kendall`` (tau-b: pairs in the same order less pairs in the other, among those that are not
            tied) or ``spearman`` (the correlation of ranks, where ties share their mean rank).
        value: The coefficient; NaN where one ranking is tied throughout.
        low: Lower end of the confidence interval; -1 where nothing is known.
        high: Upper end.
        level: Confidence level.
        count: Number of contenders.
        tied: How many of them share their rank with another, in either ranking.
    """

    coefficient: Coefficient
    value: float
    low: float
    high: float
    level: float
    count: int
    tied: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes 0: orders that are unrelated would hardly agree, or differ, as much."""
        return self.low > 0 or self.high < 0


def compute_agreement(
    first: np.ndarray,
    second: np.ndarray,
    coefficient: Coefficient = "kendall",
    *,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> Agreement:
    """Return how well two rankings of the same contenders agree.

    The contenders are taken for a sample of contenders like these. The interval holds every agreement under which a
    coefficient like the one found is not rare. This is asked of simulated rankings of as many contenders, with the
    ties of the two that are given. They are drawn from a bivariate normal law; of that law, only the order of the
    values is used. So three contenders in the same order give a wide interval, and not one without length.

    Args:
        first: Ranks or scores of the contenders, float ``[P]``; equal values are ties.
        second: The same contenders in the other ranking, float ``[P]``; larger means the same as in ``first``.
        coefficient: ``kendall`` or ``spearman``.
        level: Confidence level, between 0 and 1.
        draws: Number of simulated rankings.
        seed: Seed of the simulation.

    Raises:
        UserError: The two have different lengths or values that are no numbers, there are fewer than two contenders,
            or an option is out of range.

    Example:
        >>> found = compute_agreement(np.array([1, 2, 3]), np.array([1, 2, 3]))
        >>> found.value, round(found.low, 1), found.high, found.is_shown
        (1.0, -0.6, 1.0, False)
    """
    check_choice("coefficient", coefficient, get_args(Coefficient))
    check_fraction("level", level)
    ranks = [_mean_ranks(values) for values in _check(first, second)]
    count = len(ranks[0])
    tied = int(np.any([_is_tied(row) for row in ranks], axis=0).sum())
    compute = kendall if coefficient == "kendall" else _spearman
    if any(np.ptp(row) == 0 for row in ranks):
        value, low, high = math.nan, -1.0, 1.0
    else:
        value = float(compute(ranks[0][None], ranks[1][None])[0])
        low, high = _invert(value, ranks[0], ranks[1], compute, 1 - level, draws, seed)
        # The coefficient of a simulated law has no ties, so its scale differs a little from that of one with ties.
        scale = _of_normal_law(coefficient)
        low, high = min(scale(low), value), max(scale(high), value)
    return Agreement(coefficient=coefficient, value=value, low=low, high=high, level=level, count=count, tied=tied)


def _check(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(first, float), np.asarray(second, float)
    if values[0].ndim != 1 or values[0].shape != values[1].shape:
        raise UserError(f"two rankings of {values[0].size} and {values[1].size} contenders; give the same contenders")
    if len(values[0]) < 2:
        raise UserError(f"{len(values[0])} contenders have no order; give two or more")
    if not np.isfinite(values).all():
        raise UserError("a rank or score is not a number; leave that contender out of both rankings")
    return values


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    from scipy import stats

    # Rounded, so that equal means tie although their sums were added in another order.
    ranks: np.ndarray = stats.rankdata(np.round(values, 12))
    return ranks


def _is_tied(ranks: np.ndarray) -> np.ndarray:
    _, index, counts = np.unique(ranks, return_inverse=True, return_counts=True)
    tied: np.ndarray = counts[index] > 1
    return tied


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Spearman's coefficient of every row of mean ranks with that of the other, float ``[R]``."""
    a, b = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (first, second))
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / scale)


def _of_normal_law(coefficient: Coefficient) -> Callable[[float], float]:
    """Return the coefficient of a bivariate normal law as a function of its correlation."""
    if coefficient == "kendall":
        return lambda correlation: 2 / math.pi * math.asin(correlation)
    return lambda correlation: 6 / math.pi * math.asin(correlation / 2)


def _invert(
    value: float,
    first: np.ndarray,
    second: np.ndarray,
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray],
    alpha: float,
    draws: int,
    seed: int,
) -> tuple[float, float]:
    """Return the ends of the correlations under which a coefficient as large, or as small, is not rare."""
    normal = np.random.default_rng(seed).standard_normal((2, draws, len(first)))
    # In the order of the first ranking, which is the same in all draws; ties are those of the two rankings.
    order = np.argsort(normal[0], axis=1)
    x, noise = (np.take_along_axis(part, order, axis=1) for part in normal)
    ranked = np.broadcast_to(np.sort(first), x.shape)
    ties = np.sort(second)

    def draw(correlation: float) -> np.ndarray:
        y = correlation * x + math.sqrt(1 - correlation**2) * noise
        return compute(ranked, ties[np.argsort(np.argsort(y, axis=1), axis=1)])

    def find(rare: Callable[[np.ndarray], bool], inside: float, outside: float) -> float:
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if rare(draw(middle)) else (middle, outside)
        return outside

    # With ties, or in steps as large as those of few contenders, even an end of the range may not be rare.
    low = find(lambda drawn: bool((drawn >= value - _SLACK).mean() <= alpha / 2), 1.0, -1.0)
    high = find(lambda drawn: bool((drawn <= value + _SLACK).mean() <= alpha / 2), -1.0, 1.0)
    return low, high
