"""Cases worth looking at: the best and the worst of every contender, and those that are hard for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from llmseg.stats.columns import sign
from llmseg.stats.table import Table, contender_names


@dataclass(frozen=True)
class CaseScore:
    """The score of one training on one case.

    Attributes:
        contender: Name of the contender.
        dataset: Name of the dataset.
        case: Id of the case.
        seed: Seed of the training.
        value: The score.
    """

    contender: str
    dataset: str
    case: str
    seed: int
    value: float


Extremes: TypeAlias = Mapping[str, Mapping[str, tuple[list[CaseScore], list[CaseScore]]]]
"""By contender and dataset: the worst cases, and the best cases."""


@dataclass(frozen=True)
class HardCase:
    """A case that is hard for all.

    Attributes:
        case: Id of the case.
        group: Group of the case, such as a video or a patient.
        mean: Mean score over contenders and seeds.
        best: The contender with the best mean over seeds; the first of several with the same.
        best_value: Its mean.
    """

    case: str
    group: str
    mean: float
    best: str
    best_value: float


def extreme_cases(table: Table, measure: str, count: int) -> Extremes:
    """Return the worst and the best cases of every contender on every dataset.

    A case counts once, by the training with the worst, or the best, score on it. No case is in both lists; where cases
    are few, the worst have at most half of them.

    Args:
        table: Scores of one measure and phase.
        measure: The measure.
        count: Number of cases in each list, at most.

    Returns:
        By contender and dataset, two lists: the worst cases, the worst first; the best cases, the best first.

    Example:
        >>> from llmseg.stats import simulate
        >>> worst, best = extreme_cases(simulate(pipelines=1, datasets=1, cases=5), "dice", 3)["llm-01"]["dataset-1"]
        >>> len(worst), len(best), worst[0].value < best[0].value
        (3, 2, True)
    """
    frame = table.frame.dropna(subset=["value"])
    frame = frame.assign(contender=contender_names(frame), gain=sign(measure) * frame["value"])
    frame = frame.sort_values(["gain", "case", "seed"], kind="stable")
    extremes: dict[str, dict[str, tuple[list[CaseScore], list[CaseScore]]]] = {}
    for (contender, dataset), rows in frame.groupby(["contender", "dataset"], sort=False, observed=True):
        half = -(-rows["case"].nunique() // 2)
        worst = rows.drop_duplicates("case", keep="first").head(min(count, half))
        rest = rows[~rows["case"].isin(worst["case"])]
        best = rest.iloc[::-1].drop_duplicates("case", keep="first").head(count)
        extremes.setdefault(str(contender), {})[str(dataset)] = (_case_scores(worst), _case_scores(best))
    return extremes


def _case_scores(rows: pd.DataFrame) -> list[CaseScore]:
    return [
        CaseScore(row["contender"], row["dataset"], row["case"], int(row["seed"]), float(row["value"]))
        for row in rows.to_dict("records")
    ]


def hardest_cases(table: Table, measure: str, count: int) -> Mapping[str, list[HardCase]]:
    """Return the cases of every dataset with the worst mean over contenders and seeds, worst first.

    Args:
        table: Scores of one measure and phase.
        measure: The measure.
        count: Number of cases per dataset, at most.

    Example:
        >>> from llmseg.stats import simulate
        >>> [len(cases) for cases in hardest_cases(simulate(pipelines=2, cases=5), "dice", 3).values()]
        [3, 3]
    """
    frame = table.frame.dropna(subset=["value"])
    frame = frame.assign(contender=contender_names(frame))
    hard_cases = {}
    for dataset, rows in frame.groupby("dataset", sort=False, observed=True):
        wide = rows.pivot_table(index=["case", "group"], columns="contender", values="value", sort=False)
        gains = sign(measure) * wide
        order = gains.mean(axis=1).sort_values(kind="stable").index[:count]
        hard_cases[str(dataset)] = [_hard_case(key, wide.loc[key], gains.loc[key]) for key in order]
    return hard_cases


def _hard_case(key: tuple[str, str], values: pd.Series, gains: pd.Series) -> HardCase:
    case, group = key
    best = str(gains.idxmax())
    return HardCase(str(case), str(group), float(values.mean()), best, float(values[best]))
