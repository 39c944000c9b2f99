"""Means of single contenders, with confidence intervals."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.blocks import make_blocks
from llmseg.stats.bounded import bounded_interval
from llmseg.stats.columns import DISTANCES, SHARES
from llmseg.stats.options import check_choice
from llmseg.stats.resampling import DRAWS, bca_interval, estimate
from llmseg.stats.table import Table

MeanMethod = Literal["bounded", "bootstrap", "student", "bca"]


def means(
    table: Table,
    *,
    measure: str = "dice",
    phase: str = "test",
    each_dataset: bool = True,
    level: float = 0.95,
    method: MeanMethod | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the mean of every contender with a confidence interval that takes groups and seeds into account.

    Scores of one contender are skewed: most are near the top and some far below, or nearly all are 0. The method
    ``bounded`` holds for such scores, see :func:`llmseg.stats.bounded_interval`; it needs a measure between 0 and 1.
    For others the studentised bootstrap follows the skew. Ends are cut to the range of the measure.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.
        each_dataset: Return a mean per dataset, instead of one over all in which each dataset has the same weight.
        level: Confidence level of the intervals, between 0 and 1.
        method: ``bounded``, ``bootstrap`` (studentised), ``student``, or ``bca``. The last averages groups over seeds,
            so that it leaves out the luck of training, and is too narrow where groups are few. ``None`` is ``bounded``
            for measures between 0 and 1, and ``bootstrap`` for others.
        draws: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        A row per contender and dataset: ``contender, dataset, mean, low, high, level, groups, seeds, method``.

    Raises:
        UserError: A score is missing or not in the range that the method needs, there is no such method, or ``bca`` is
            asked for several datasets together.

    Example:
        >>> from llmseg.stats import simulate
        >>> frame = means(simulate(pipelines=2, datasets=1, cases=30))
        >>> bool(((frame["low"] < frame["mean"]) & (frame["mean"] < frame["high"])).all())
        True
    """
    method = method or ("bounded" if measure in SHARES else "bootstrap")
    check_choice("method", method, get_args(MeanMethod))
    blocks = make_blocks(table, measure, phase=phase)
    parts = [(block,) for block in blocks] if each_dataset else [blocks]
    if method == "bca" and any(len(part) > 1 for part in parts):
        raise UserError("bca knows one dataset at a time; give each_dataset=True, or another method")
    rows = []
    for part in parts:
        sums, sizes = [block.sums for block in part], [block.sizes for block in part]
        estimates = estimate(sums, sizes, draws=draws if method == "bootstrap" else 0, seed=seed)
        if method == "bounded":
            low, high = bounded_interval(sums, sizes, level=level, draws=draws, seed=seed)
        elif method == "bca":
            averaged = sums[0].mean(axis=1) / sizes[0].mean()
            low, high = np.array([bca_interval(values, level=level, draws=draws, seed=seed) for values in averaged]).T
        else:
            low, high = estimates.interval(level)
        if measure in SHARES:
            low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
        elif measure in DISTANCES:
            low, high = np.maximum(low, 0), np.maximum(high, 0)
        rows.append(
            pd.DataFrame(
                {
                    "contender": part[0].contenders,
                    "dataset": part[0].dataset if each_dataset else "all",
                    "mean": estimates.means,
                    "low": low,
                    "high": high,
                    "level": level,
                    "groups": estimates.groups,
                    "seeds": estimates.seeds,
                    "method": method,
                }
            )
        )
    frame: pd.DataFrame = pd.concat(rows, ignore_index=True)
    return frame
