"""Ranks, and how well two rankings agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llmseg.errors import UserError, shorten_list
from llmseg.stats.draws import split_rows


def make_ranks(scores: np.ndarray) -> np.ndarray:
    """Return ranks of the rows, 1 for the largest, the smallest rank for ties; ``[R, P]``."""
    from scipy import stats

    # Rounded, so that contenders with the same scores tie although their sums were added in another order.
    ranks: np.ndarray = stats.rankdata(-np.round(scores, 12), method="min", axis=1)
    return ranks


def kendall(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of every row of one array with that of another.

    Args:
        first: Ranks, float ``[R, P]``.
        second: Ranks, float ``[R, P]``.

    Returns:
        float ``[R]``; 0 where one row is tied throughout.

    Example:
        >>> kendall(np.array([[1, 2, 3]]), np.array([[1, 3, 2]]))
        array([0.33333333])
    """
    taus = np.zeros(len(first))
    for rows in split_rows(len(first), first.shape[1] ** 2):
        a, b = (np.sign(ranks[rows, :, None] - ranks[rows, None, :]) for ranks in (first, second))
        scale = np.sqrt(np.abs(a).sum(axis=(1, 2)) * np.abs(b).sum(axis=(1, 2)))
        taus[rows] = (a * b).sum(axis=(1, 2)) / np.where(scale > 0, scale, 1)
    return taus


def convention_stability(scores: pd.DataFrame) -> pd.DataFrame:
    """Return how well rankings under different scoring conventions agree.

    Args:
        scores: Columns ``contender, convention, value``: the mean of every contender under every convention.

    Returns:
        Kendall's tau between the rankings of every two conventions, a square with the conventions on both sides.

    Raises:
        UserError: A column is missing, a contender has no value under a convention, or two.

    Example:
        >>> scores = pd.DataFrame({"contender": ["a", "b"] * 2, "convention": ["x", "x", "y", "y"]})
        >>> convention_stability(scores.assign(value=[0.8, 0.7, 0.8, 0.9])).loc["x", "y"]
        np.float64(-1.0)
    """
    for name in ("contender", "convention", "value"):
        if name not in scores.columns:
            raise UserError(
                f"no column '{name}' among {shorten_list(scores.columns)}; give contender, convention and value"
            )
    if scores.duplicated(["contender", "convention"]).any():
        raise UserError("a contender has two values under one convention; give its mean over cases")
    wide = scores.pivot(index="convention", columns="contender", values="value")
    if wide.isna().any(axis=None):
        raise UserError("a contender has no value under one of the conventions; score all under all")
    ranks = make_ranks(wide.to_numpy(float))
    names = wide.index.to_list()
    taus = kendall(np.repeat(ranks, len(names), axis=0), np.tile(ranks, (len(names), 1)))
    square: pd.DataFrame = pd.DataFrame(taus.reshape(len(names), len(names)), index=names, columns=names)
    return square
