"""Means of single contenders, with intervals."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.stats.blocks import blocks
from llmseg.stats.columns import SHARES
from llmseg.stats.resampling import DRAWS, bca_interval, estimate
from llmseg.stats.table import Table

MeanMethod = Literal["bootstrap", "student", "bca"]
_METHODS = ("bootstrap", "student", "bca")


def means(
    table: Table,
    *,
    measure: str = "dice",
    phase: str = "test",
    each_dataset: bool = True,
    level: float = 0.95,
    method: MeanMethod = "bootstrap",
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the mean of every contender with an interval that knows groups and seeds.

    Scores of one contender are skewed, most near the top and some far below. The studentised bootstrap follows that;
    the ends are cut to the measure's range.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.
        each_dataset: A mean per dataset, instead of one over all, each dataset with the same weight.
        level: Level of the intervals.
        method: ``bootstrap`` (studentised), ``student``, or ``bca``, which takes groups averaged over seeds, knows
            nothing of seeds, and is too narrow where groups are few.
        draws: Resamples.
        seed: Seed of the resampling.

    Returns:
        A row per contender and dataset: ``contender, dataset, mean, low, high, level, groups, seeds, method``.

    Raises:
        UserError: A cell is missing, there is no such method, or ``bca`` is asked for several datasets together.

    Example:
        >>> from llmseg.stats import simulate
        >>> found = means(simulate(pipelines=2, datasets=1, cases=30))
        >>> bool(((found["low"] < found["mean"]) & (found["mean"] < found["high"])).all())
        True
    """
    if method not in _METHODS:
        raise UserError(f"no method '{method}'{nearest(method, _METHODS)}; there are {', '.join(_METHODS)}")
    measured = blocks(table, measure, phase=phase)
    parts = [(block,) for block in measured] if each_dataset else [measured]
    if method == "bca" and any(len(part) > 1 for part in parts):
        raise UserError("bca knows one dataset at a time; give each_dataset=True, or another method")
    rows = []
    for part in parts:
        sums, sizes = [block.sums for block in part], [block.sizes for block in part]
        known = estimate(sums, sizes, draws=draws if method == "bootstrap" else 0, seed=seed)
        if method == "bca":
            averaged = sums[0].mean(axis=1) / sizes[0].mean()
            low, high = np.array([bca_interval(one, level=level, draws=draws, seed=seed) for one in averaged]).T
        else:
            low, high = known.interval(level)
        if measure in SHARES:
            low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
        rows.append(
            pd.DataFrame(
                {
                    "contender": part[0].contenders,
                    "dataset": part[0].dataset if each_dataset else "all",
                    "mean": known.means,
                    "low": low,
                    "high": high,
                    "level": level,
                    "groups": known.groups,
                    "seeds": known.seeds,
                    "method": method,
                }
            )
        )
    found: pd.DataFrame = pd.concat(rows, ignore_index=True)
    return found
