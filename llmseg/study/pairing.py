"""Scores of a study as pairs: what every variant got on the same cases with the same seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.columns import DISTANCES, SHARES
from llmseg.stats.folds import fold_interval
from llmseg.stats.intervals import Law, mean_interval


def pair_scores(scores: pd.DataFrame, measure: str, size: str) -> pd.DataFrame:
    """Return a row per case, group and seed, a column per variant; without cases that lack a value somewhere."""
    chosen = scores[(scores["measure"] == measure) & (scores["size"] == size)]
    if chosen.empty:
        measures = ", ".join(scores["measure"].unique())
        raise UserError(f"no measure '{measure}' at size '{size}'; measures are {measures}, sizes native and working")
    wide = chosen.pivot(index=["case", "group", "seed"], columns="variant", values="value")
    everywhere = wide.notna().all(axis=1).groupby(["case", "group"]).transform("all")
    kept: pd.DataFrame = wide.loc[everywhere]
    return kept


def average_scores(wide: pd.DataFrame, measure: str, level: float) -> pd.DataFrame:
    """Return a row per variant with its mean, see :meth:`llmseg.Study.means`; without numbers if there is no case."""
    law: Law = "bounded" if measure in SHARES else "bootstrap"
    if wide.empty:
        unknown = {**dict.fromkeys(("mean", "low", "high"), math.nan), "level": level, "groups": 0, "seeds": 0}
        empty: pd.DataFrame = pd.DataFrame([{"variant": name, **unknown, "seed_sd": math.nan} for name in wide.columns])
        return empty
    rows = [
        {
            "variant": name,
            **asdict(mean_interval(_as_rows(wide[name]), level=level, law=law)),
            "seed_sd": float(sd),
        }
        for name, sd in wide.groupby("seed").mean().std().items()
    ]
    table: pd.DataFrame = pd.DataFrame(rows)
    if measure in DISTANCES:
        table[["low", "high"]] = table[["low", "high"]].clip(lower=0.0)
    return table


def compare_with_base(
    wide: pd.DataFrame, measure: str, level: float, folds: Mapping[str, str] | None = None, count: int = 1
) -> pd.DataFrame:
    """Return a row per variant with its difference from the base, see :meth:`llmseg.Study.differences`.

    Args:
        wide: As :meth:`llmseg.Study.paired` returns it.
        measure: The measure.
        level: Level of the intervals.
        folds: The fold of every case in a cross-validation.
        count: Number of folds; of an unfinished study, some may have no case yet.
    """
    base, *others = wide.columns
    columns = ["variant", "base", "mean", "difference", "low", "high", "level", "groups", "seeds"]
    if wide.empty:  # the measure applies to no case
        rows = [{"variant": name, "level": level, "groups": 0, "seeds": 0} for name in others]
        columns += ["low_folds", "high_folds"] if folds else []
        unknown: pd.DataFrame = pd.DataFrame(rows, columns=columns)
        return unknown
    table: pd.DataFrame = pd.DataFrame([_compare(wide, base, name, level) for name in others], columns=columns)
    if folds:
        gains = wide[others].sub(wide[base], axis=0)
        means = gains.groupby(wide.index.get_level_values("case").map(dict(folds))).mean()
        ends = [fold_interval(means[name].tolist(), count, level=level) for name in others]
        table["low_folds"], table["high_folds"] = ([end[side] for end in ends] for side in (0, 1))
    if measure in SHARES:
        intervals = table.columns.intersection(["low", "high", "low_folds", "high_folds"])
        table[intervals] = table[intervals].clip(-1, 1)
    return table


def _compare(wide: pd.DataFrame, base: str, name: str, level: float) -> dict[str, Any]:
    interval = asdict(mean_interval(_as_rows(wide[name] - wide[base]), level=level))
    means = {"base": float(wide[base].mean()), "mean": float(wide[name].mean()), "difference": interval.pop("mean")}
    return {"variant": name, **means, **interval}


def _as_rows(column: pd.Series) -> pd.DataFrame:
    values: pd.DataFrame = column.rename("value").reset_index()
    return values
