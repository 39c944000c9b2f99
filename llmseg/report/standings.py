"""Who stands where, on one dataset or on all: means, intervals, ranks and how stable they are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.averages import means
from llmseg.stats.ranking import rank
from llmseg.stats.table import Table, contender_names
from llmseg.stats.words import shorten_list

ALL = "all"
"""What the standing over all datasets is called."""


@dataclass(frozen=True)
class Place:
    """Where a contender stands.

    Attributes:
        contender: Its name.
        mean: Its mean score.
        low: Lower end of the interval of the mean; not a number where nothing is known of it.
        high: Upper end.
        rank: Its rank; ties share the smallest.
        rank_low: Best rank within 95 % of its ranks on resampled cases and seeds.
        rank_high: Worst of these.
        first: How often it was first there, alone or not.
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
        """Whether anything is known of how far the mean may be off."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The order of all contenders, on one dataset or on all together.

    Attributes:
        dataset: Its name, or :data:`ALL`.
        places: Best first.
        absent: Contenders that are not placed, and why.
        cases: Number of cases that count.
        groups: Groups of these.
        seeds: Trainings per contender, the fewest of any dataset.
        sentence: The ranking in one sentence; empty where there is none.
        remarks: What a reader has to know, a sentence each.
    """

    dataset: str
    places: tuple[Place, ...]
    absent: dict[str, str]
    cases: int
    groups: int
    seeds: int
    sentence: str
    remarks: tuple[str, ...]


def comparable(table: Table, measure: str, phase: str) -> tuple[Table | None, dict[str, str]]:
    """Return the cases that can be compared, and the contenders that cannot.

    Left out are contenders that lack a whole dataset, then cases that one of the others lacks; the table's remarks
    count these.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.

    Returns:
        The table, ``None`` where nothing is left; and why contenders are not in it.

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
    there = set(zip(contender_names(frame), frame["dataset"], strict=True))
    absent = {}
    for name in chosen.contenders:
        lacking = [dataset for dataset in chosen.datasets if (name, dataset) not in there]
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
    """
    part = table if dataset == ALL else table.select(dataset=dataset, measure=measure, phase=phase)
    kept, absent = comparable(part, measure, phase)
    if kept is None:
        return _empty(dataset, absent, part.remarks)
    found = means(kept, measure=measure, phase=phase, each_dataset=False)
    frame = kept.frame
    places, sentence, remarks = _places(found, kept, measure, phase, resamples)
    return Standing(
        dataset=dataset,
        places=places,
        absent=absent,
        cases=len(frame[["dataset", "case"]].drop_duplicates()),
        groups=int(found["groups"].iloc[0]),
        seeds=int(frame.groupby("dataset", observed=True)["seed"].nunique().min()),
        sentence=sentence,
        remarks=(*dict.fromkeys((*kept.remarks, *remarks)),),
    )


def _places(
    found: pd.DataFrame, table: Table, measure: str, phase: str, resamples: int
) -> tuple[tuple[Place, ...], str, Sequence[str]]:
    spans = {str(row["contender"]): _span(row) for row in found.to_dict("records")}
    flat = [name for name, (_, low, _) in spans.items() if math.isnan(low)]
    remarks = (
        [f"how far a mean may be off is not known where scores do not differ: {shorten_list(flat)}"] if flat else []
    )
    if len(spans) == 1:
        ((name, span),) = spans.items()
        alone = "one contender: there is nothing to rank or to compare"
        return (Place(name, *span, rank=1, rank_low=1, rank_high=1, first=1.0),), "", (*remarks, alone)
    ranking = rank(table, measure=measure, phase=phase, resamples=resamples)
    places = tuple(
        Place(
            one["contender"],
            *spans[one["contender"]],
            rank=int(one["rank"]),
            rank_low=math.floor(one["low"]),
            rank_high=math.ceil(one["high"]),
            first=float(one["first"]),
        )
        for one in ranking.frame.to_dict("records")
    )
    shared = sum(one.rank == 1 for one in places) > 1
    return places, "" if shared else ranking.sentence, (*remarks, *ranking.remarks, *_ties(places))


def _span(row: dict[Hashable, Any]) -> tuple[float, float, float]:
    """Return mean and ends of its interval; an interval without length is none."""
    low, high = (float(row["low"]), float(row["high"])) if row["low"] < row["high"] else (math.nan, math.nan)
    return float(row["mean"]), low, high


def _ties(places: Sequence[Place]) -> list[str]:
    ranks = [one.rank for one in places]
    tied = sum(ranks.count(one) > 1 for one in ranks)
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
