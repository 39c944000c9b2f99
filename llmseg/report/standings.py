"""The order of contenders, on one dataset or on all: means, intervals, ranks and how stable they are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from llmseg.errors import UserError, shorten_list
from llmseg.report.learning import OVERLAPS, find_unlearnt, word_learning
from llmseg.stats.averages import means
from llmseg.stats.ranking import rank
from llmseg.stats.table import Table, contender_names

ALL = "all"
"""Stands for the name of a dataset where all datasets are meant."""


@dataclass(frozen=True)
class Place:
    """The place of a contender in a standing.

    Attributes:
        contender: Name of the contender.
        mean: Mean score.
        low: Lower end of the 95 % confidence interval of the mean; NaN where it is not known.
        high: Upper end.
        rank: Rank; tied contenders share the smallest.
        rank_low: Best of the ranks on resampled cases and seeds, without the 2.5 % that are better still.
        rank_high: Worst of these ranks, without the 2.5 % that are worse still.
        first: Share of the resamples in which the contender was first, alone or not.
    """

    contender: str
    mean: float
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int
    first: float

    @property
    def has_interval(self) -> bool:
        """Whether the interval of the mean is known."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The order of all contenders, on one dataset or on all together.

    Attributes:
        dataset: Name of the dataset, or :data:`ALL`.
        places: The places, best first.
        absent: Why other contenders have no place, by their names.
        cases: Number of cases on which the contenders are compared.
        groups: Number of groups of these cases.
        seeds: Number of trainings per contender, the fewest of any dataset.
        sentence: The ranking in one sentence; empty where there is none.
        few: What there is too little of for resamples to tell how stable ranks are; empty if there is enough.
        nobody: Whether no contender has learnt to segment any of the datasets.
        remarks: What a reader has to know, a sentence each.
    """

    dataset: str
    places: tuple[Place, ...]
    absent: dict[str, str]
    cases: int
    groups: int
    seeds: int
    sentence: str
    few: str = ""
    nobody: bool = False
    remarks: tuple[str, ...]


def comparable(table: Table, measure: str, phase: str) -> tuple[Table | None, dict[str, str]]:
    """Return the scores that can be compared, and the contenders that cannot.

    Contenders without any score on a dataset are left out first, then cases that one of the others lacks. In the other
    order, a contender without a dataset would take all cases of that dataset from everybody. Remarks of the table count
    the cases.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.

    Returns:
        The table, ``None`` where nothing is left; and why contenders are not in it, by their names.

    Example:
        >>> from llmseg.stats import simulate
        >>> frame = simulate(pipelines=2, cases=3).frame
        >>> part = frame.query("pipeline == 'llm-01' or dataset == 'dataset-1'")
        >>> kept, absent = comparable(Table(part), "dice", "test")
        >>> kept.contenders, absent
        (('llm-01',), {'llm-02': 'no scores on dataset-2'})
    """
    chosen = table.select(measure=measure, phase=phase)
    frame = chosen.frame[chosen.frame["value"].notna()]
    present = set(zip(contender_names(frame), frame["dataset"], strict=True))
    absent = {}
    for name in chosen.contenders:
        lacking = [dataset for dataset in chosen.datasets if (name, dataset) not in present]
        if lacking:
            absent[name] = f"no scores on {', '.join(lacking)}"
    kept = chosen.frame[~contender_names(chosen.frame).isin(list(absent))]
    if kept.empty:
        return None, absent
    try:
        return Table(kept.reset_index(drop=True), chosen.remarks).complete(measure, phase=phase), absent
    except UserError:
        left = [name for name in chosen.contenders if name not in absent]
        return None, {**absent, **dict.fromkeys(left, "no case has a score of every contender with every seed")}


def standing(table: Table, measure: str, phase: str, dataset: str = ALL, *, resamples: int = 1000) -> Standing:
    """Rank the contenders of a table, on all datasets or on one.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.
        dataset: A dataset of the table, or :data:`ALL`.
        resamples: Number of resampled rankings.

    Example:
        >>> from llmseg.stats import simulate
        >>> [place.contender for place in standing(simulate(pipelines=[0.0, 0.1]), "dice", "test").places]
        ['llm-02', 'llm-01']
    """
    part = table if dataset == ALL else table.select(dataset=dataset, measure=measure, phase=phase)
    kept, absent = comparable(part, measure, phase)
    if kept is None:
        return _empty(dataset, absent, part.remarks)
    mean_frame = means(kept, measure=measure, phase=phase, each_dataset=False)
    frame = kept.frame
    places, sentence, few, remarks = _places(mean_frame, kept, measure, phase, resamples)
    unlearnt = find_unlearnt(frame, measure)
    learning = word_learning(unlearnt, len(places), measure)
    return Standing(
        dataset=dataset,
        places=places,
        absent=absent,
        cases=len(frame[["dataset", "case"]].drop_duplicates()),
        groups=int(mean_frame["groups"].iloc[0]),
        seeds=int(frame.groupby("dataset", observed=True)["seed"].nunique().min()),
        sentence=sentence,
        few=few,
        nobody=all(len(unlearnt.get(name, ())) == len(places) for name in kept.datasets),
        remarks=(*dict.fromkeys((*learning, *kept.remarks, *remarks)),),
    )


def remark_on_learning(table: Table, measure: str, phase: str = "test") -> list[str]:
    """Say who has learnt next to nothing, a sentence per dataset; none where all have learnt.

    Args:
        table: Scores, as a report takes them.
        measure: Which measure; of others than overlaps nothing is said.
        phase: Which phase.

    Example:
        >>> from llmseg.stats import simulate
        >>> remark_on_learning(simulate(pipelines=2), "dice")
        []
    """
    kept, _ = comparable(table, measure, phase) if measure in OVERLAPS else (None, {})
    return [] if kept is None else word_learning(find_unlearnt(kept.frame, measure), len(kept.contenders), measure)


def _places(
    mean_frame: pd.DataFrame, table: Table, measure: str, phase: str, resamples: int
) -> tuple[tuple[Place, ...], str, str, Sequence[str]]:
    """Return the places, the sentence of the ranking, what is too little for resamples, and remarks."""
    spans = {str(row["contender"]): _span(row) for row in mean_frame.to_dict("records")}
    flat = shorten_list(name for name, (_, low, _) in spans.items() if math.isnan(low))
    remarks = [f"how far a mean may be off is not known where scores do not differ: {flat}"] if flat else []
    if len(spans) == 1:
        ((name, span),) = spans.items()
        alone = "one contender: there is nothing to rank or to compare"
        return (Place(name, *span, rank=1, rank_low=1, rank_high=1, first=1.0),), "", "", (*remarks, alone)
    ranking = rank(table, measure=measure, phase=phase, resamples=resamples)
    # Ties share a rank, so ranks of resamples may lie between two whole numbers.
    places = tuple(
        Place(
            row["contender"],
            *spans[row["contender"]],
            rank=int(row["rank"]),
            rank_low=math.floor(row["low"]),
            rank_high=math.ceil(row["high"]),
            first=float(row["first"]),
        )
        for row in ranking.frame.to_dict("records")
    )
    return places, ranking.sentence, ranking.few, (*remarks, *ranking.remarks, *_remarks_on_ties(places))


def _span(row: dict[Hashable, Any]) -> tuple[float, float, float]:
    """Return a mean and the ends of its interval; an interval without length says nothing and becomes NaN."""
    low, high = (float(row["low"]), float(row["high"])) if row["low"] < row["high"] else (math.nan, math.nan)
    return float(row["mean"]), low, high


def _remarks_on_ties(places: Sequence[Place]) -> list[str]:
    ranks = [place.rank for place in places]
    tied = sum(ranks.count(rank) > 1 for rank in ranks)
    if tied and len(set(ranks)) == 1:
        return ["all contenders have the same mean: the order of the rows says nothing"]
    return [f"{tied} of {len(places)} contenders share their rank with another"] if tied else []


def _empty(dataset: str, absent: dict[str, str], remarks: Sequence[str]) -> Standing:
    return Standing(
        dataset=dataset,
        places=(),
        absent=absent,
        cases=0,
        groups=0,
        seeds=0,
        sentence="",
        remarks=(*remarks, "no contender can be ranked; see below why"),
    )
