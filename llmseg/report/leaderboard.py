"""What the leaderboard shows beside ranks: other measures, and what trainings took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmseg.report.analysis import Analysis
from llmseg.report.costs import find_cost
from llmseg.report.profiles import Profile
from llmseg.report.question import name_measure
from llmseg.report.standings import ALL, Place, Standing, comparable
from llmseg.report.texts import Ends, bar_scale, bar_styles, place_texts, score_text
from llmseg.stats.columns import sign
from llmseg.stats.table import contender_names

COSTS = {"parameters": "Parameters", "epochs": "Epochs", "seconds": "Seconds"}
"""Columns of what trainings took, with their headings."""


@dataclass(frozen=True)
class Column:
    """A column of numbers that does not rank.

    Attributes:
        key: Its name in the page.
        title: Its heading.
        order: In which direction it is sorted first.
    """

    key: str
    title: str
    order: str = "ascending"


@dataclass(frozen=True, eq=False)
class Beside:
    """What stands beside ranks.

    Attributes:
        measures: Columns of secondary measures.
        costs: Columns of what trainings took, as far as anything is known.
        texts: What cells say, by dataset (:data:`ALL` for all), contender and column.
        values: By what cells are sorted, likewise; ``None`` where a value is not known.
    """

    measures: tuple[Column, ...]
    costs: tuple[Column, ...]
    texts: Mapping[str, Mapping[str, Mapping[str, str]]]
    values: Mapping[str, Mapping[str, Mapping[str, float | None]]]


def find_beside(analysis: Analysis, profiles: Mapping[str, Profile]) -> Beside:
    """Return what the leaderboards of a report show beside ranks.

    Args:
        analysis: What was computed.
        profiles: The contenders by name.
    """
    secondary = analysis.question.secondary
    measures = tuple(
        Column(f"measure-{name}", name_measure(name), "descending" if sign(name) > 0 else "ascending")
        for name in secondary
    )
    texts: dict[str, dict[str, dict[str, str]]] = {}
    values: dict[str, dict[str, dict[str, float | None]]] = {}
    for dataset in (ALL, *analysis.by_dataset):
        found = {name: _means(analysis, name, dataset) for name in secondary}
        texts[dataset], values[dataset] = {}, {}
        for name, profile in profiles.items():
            cost = find_cost(profile, None if dataset == ALL else dataset)
            scores = {f"measure-{measure}": means.get(name) for measure, means in found.items()}
            shown = {key: "-" if value is None else score_text(value) for key, value in scores.items()}
            texts[dataset][name] = {**shown, **cost.texts}
            values[dataset][name] = {**scores, **cost.values}
    known = {key for of_contender in values[ALL].values() for key, value in of_contender.items() if value is not None}
    costs = tuple(Column(key, title) for key, title in COSTS.items() if key in known)
    return Beside(measures, costs, texts, values)


def _means(analysis: Analysis, measure: str, dataset: str) -> dict[str, float]:
    """Return the mean of every contender in a secondary measure."""
    if dataset == ALL:
        return {place.contender: place.mean for place in analysis.secondary[measure].places}
    phase = analysis.question.phase
    kept, _ = comparable(analysis.scores.select(dataset=dataset, measure=measure, phase=phase), measure, phase)
    if kept is None:
        return {}
    averages = kept.frame.groupby(contender_names(kept.frame), observed=True)["value"].mean()
    return {str(name): float(value) for name, value in averages.items()}


def fill_index(
    analysis: Analysis, profiles: Mapping[str, Profile], beside: Beside, pages: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the script of the leaderboard needs to filter it and to show another dataset.

    Args:
        analysis: What was computed.
        profiles: The contenders by name.
        beside: What stands beside ranks.
        pages: Names of the pages of datasets, without extension, by dataset.
    """
    fields = (("cohort", "Cohort"), ("reasoning", "Reasoning"), ("vendor", "Vendor"))
    choices = [(name, word, sorted({getattr(one, name) for one in profiles.values()})) for name, word in fields]
    keys = {name: profile.page for name, profile in profiles.items()}
    standings = {ALL: {**_standing(analysis.overall, keys, beside), "caption": None}}
    for name, standing in analysis.by_dataset.items():
        caption = f"{analysis.question.title}, mean and 95 % interval on {name}"
        standings[pages[name]] = {**_standing(standing, keys, beside), "caption": caption}
    return {
        "choices": [choice for choice in choices if len(choice[2]) > 1],  # a filter of one value chooses nothing
        "standings": standings,
    }


def _standing(standing: Standing, keys: Mapping[str, str], beside: Beside) -> dict[str, Any]:
    """Return what the script needs to show the leaderboard of another dataset: cells by the key of a row."""
    ends = bar_scale(standing)
    return {"places": {keys[place.contender]: _cells(place, ends, standing, beside) for place in standing.places}}


def _cells(place: Place, ends: Ends, standing: Standing, beside: Beside) -> dict[str, Any]:
    """Return what the script puts into the cells of a row: texts, values to sort by, and the bar."""
    values = {"rank": place.rank, "mean": place.mean, "ranks": place.rank_low, "first": place.first}
    others = [column.key for column in (*beside.measures, *beside.costs)]
    texts, numbers = (found[standing.dataset][place.contender] for found in (beside.texts, beside.values))
    return {
        "texts": place_texts(place, standing.few) | {key: texts[key] for key in others},
        "values": values | {key: numbers[key] for key in others},
        "bar": bar_styles(place, ends),
    }
