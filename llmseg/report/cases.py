"""Cases worth a look: a contender's best and worst, and those that are hard for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from llmseg.stats.columns import sign
from llmseg.stats.table import Table, contender_names


@dataclass(frozen=True)
class Seen:
    """A case as one training scored on it.

    Attributes:
        contender: Whose training.
        dataset: Of which dataset.
        case: Its id.
        seed: Seed of the training.
        value: Its score.
    """

    contender: str
    dataset: str
    case: str
    seed: int
    value: float


@dataclass(frozen=True)
class Hard:
    """A case that is hard for all.

    Attributes:
        case: Its id.
        group: What it belongs to.
        mean: Mean score over contenders and seeds.
        best: The contender with the best mean over seeds, the first where several have it.
        best_value: That mean.
    """

    case: str
    group: str
    mean: float
    best: str
    best_value: float


def extremes(table: Table, measure: str, count: int) -> Mapping[str, Mapping[str, tuple[list[Seen], list[Seen]]]]:
    """Return the worst and the best cases of every contender on every dataset.

    A case counts once, by the training that did worst, or best, on it. Where cases are few, a case is not in both.

    Args:
        table: Scores of one measure and phase.
        measure: The measure.
        count: How many of each.

    Returns:
        By contender and dataset: worst first, and best first.

    Example:
        >>> from llmseg.stats import simulate
        >>> worst, best = extremes(simulate(pipelines=1, datasets=1, cases=5), "dice", 3)["llm-01"]["dataset-1"]
        >>> len(worst), len(best), worst[0].value < best[0].value
        (3, 2, True)
    """
    frame = table.frame.dropna(subset=["value"])
    frame = frame.assign(contender=contender_names(frame), gain=sign(measure) * frame["value"])
    frame = frame.sort_values(["gain", "case", "seed"], kind="stable")
    found: dict[str, dict[str, tuple[list[Seen], list[Seen]]]] = {}
    for (contender, dataset), rows in frame.groupby(["contender", "dataset"], sort=False, observed=True):
        half = -(-rows["case"].nunique() // 2)
        worst = rows.drop_duplicates("case", keep="first").head(min(count, half))
        rest = rows[~rows["case"].isin(worst["case"])]
        best = rest.iloc[::-1].drop_duplicates("case", keep="first").head(count)
        found.setdefault(str(contender), {})[str(dataset)] = (_seen(worst), _seen(best))
    return found


def _seen(rows: pd.DataFrame) -> list[Seen]:
    return [
        Seen(row["contender"], row["dataset"], row["case"], int(row["seed"]), float(row["value"]))
        for row in rows.to_dict("records")
    ]


def hardest(table: Table, measure: str, count: int) -> Mapping[str, list[Hard]]:
    """Return the cases of every dataset with the worst mean over contenders and seeds, worst first.

    Args:
        table: Scores of one measure and phase.
        measure: The measure.
        count: How many.

    Example:
        >>> from llmseg.stats import simulate
        >>> [len(cases) for cases in hardest(simulate(pipelines=2, cases=5), "dice", 3).values()]
        [3, 3]
    """
    frame = table.frame.dropna(subset=["value"])
    frame = frame.assign(contender=contender_names(frame))
    found = {}
    for dataset, rows in frame.groupby("dataset", sort=False, observed=True):
        wide = rows.pivot_table(index=["case", "group"], columns="contender", values="value", sort=False)
        gains = sign(measure) * wide
        order = gains.mean(axis=1).sort_values(kind="stable").index[:count]
        found[str(dataset)] = [_hard(where, wide.loc[where], gains.loc[where]) for where in order]
    return found


def _hard(where: tuple[str, str], values: pd.Series, gains: pd.Series) -> Hard:
    best = str(gains.idxmax())
    return Hard(str(where[0]), str(where[1]), float(values.mean()), best, float(values[best]))
