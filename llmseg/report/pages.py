"""The pages of a report, rendered from what was computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg import __version__
from llmseg.data.catalog import get_dataset
from llmseg.data.catalog.dataset import Dataset
from llmseg.errors import UserError
from llmseg.figures.style import AGREEMENT
from llmseg.report import plots
from llmseg.report.analysis import Analysis
from llmseg.report.cases import Hard, Seen
from llmseg.report.families import Family
from llmseg.report.methods import citations, methods
from llmseg.report.profiles import Profile
from llmseg.report.standings import ALL, Place, Standing
from llmseg.report.texts import Ends, bar_styles, number, place_texts, plain, scale, sentence
from llmseg.stats.claims import DECISIONS, MIRRORED, Claim
from llmseg.study.results import ContenderRun

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent

NAV = (
    ("index.html", "Leaderboard"),
    ("claims.html", "Claims"),
    ("methods.html", "Methods"),
    ("downloads.html", "Downloads"),
)

SIGNS = {"better": "▲", "equivalent": "=", "undecided": "·", "worse": "▼"}
"""Marks of verdicts in the square of all pairs."""


@dataclass(frozen=True)
class Shown:
    """A picture of the report.

    Attributes:
        path: Where it lies, from the report's folder.
        width: In pixels.
        height: In pixels.
    """

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Download:
    """A file that readers may want.

    Attributes:
        path: Where it lies, from the report's folder.
        about: What it holds.
        rows: How many rows it has.
    """

    path: str
    about: str
    rows: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """All that pages show.

    Attributes:
        title: Title of the report.
        analysis: What was computed.
        profiles: The contenders.
        trained: The runs.
        pages: Name of every dataset's page, without extension.
        extremes: Worst and best cases by contender and dataset.
        hard: Hardest cases by dataset.
        shown_hard: The first of them as the best contender with a run there predicts them.
        pictures: Pictures by case.
        notes: Why a dataset has no pictures.
        downloads: Files.
    """

    title: str
    analysis: Analysis
    profiles: Mapping[str, Profile]
    trained: Sequence[ContenderRun]
    pages: Mapping[str, str]
    extremes: Mapping[str, Mapping[str, tuple[list[Seen], list[Seen]]]]
    hard: Mapping[str, list[Hard]]
    shown_hard: Mapping[str, list[Seen]]
    pictures: Mapping[Seen, Shown]
    notes: Mapping[str, str]
    downloads: Sequence[Download]


def render(content: Content) -> Iterator[tuple[str, str]]:
    """Yield path and text of every page."""
    environment = _environment()
    shared = {
        "site": {"title": content.title, "nav": NAV, "version": __version__},
        "analysis": content.analysis,
        "profiles": content.profiles,
        "pages": content.pages,
        "measure": content.analysis.question.title,
        "colours": AGREEMENT,
        "plots": False,
    }

    def page(path: str, template: str, **own: Any) -> tuple[str, str]:
        root = "../" * path.count("/")
        return path, environment.get_template(template).render({**shared, "root": root, "here": path, **own})

    yield page("index.html", "index.html", **_index(content))
    yield page("claims.html", "claims.html", verdicts=DECISIONS, signs=SIGNS, matrix=_matrix(content.analysis))
    sections = methods(content.analysis, content.profiles, content.trained)
    cited = citations(content.analysis.by_dataset, content.profiles)
    yield page("methods.html", "methods.html", sections=sections, citations=cited)
    yield page("downloads.html", "downloads.html", files=content.downloads)
    for profile in content.profiles.values():
        yield page(f"pipelines/{profile.page}.html", "pipeline.html", **_pipeline(content, profile))
    for name, standing in content.analysis.by_dataset.items():
        yield page(f"datasets/{content.pages[name]}.html", "dataset.html", **_dataset(content, name, standing))


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bar": bar_styles,
        "number": number,
        "place": place_texts,
        "plain": plain,
        "remarks_of": _remarks_of,
        "scale": scale,
        "sentence": sentence,
    }
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    return environment


def _remarks_of(family: Family) -> list[str]:
    return list(dict.fromkeys(remark for claim in family.claims for remark in claim.remarks))


def _index(content: Content) -> dict[str, Any]:
    analysis, profiles = content.analysis, content.profiles.values()
    fields = (("cohort", "Cohort"), ("reasoning", "Reasoning"), ("vendor", "Vendor"))
    choices = [(name, word, sorted({getattr(one, name) for one in profiles})) for name, word in fields]
    keys = {name: profile.page for name, profile in content.profiles.items()}
    standings = {ALL: {**_standing(analysis.overall, keys), "caption": None}}
    for name, one in analysis.by_dataset.items():
        caption = f"{analysis.question.title}, mean and 95 % interval on {name}"
        standings[content.pages[name]] = {**_standing(one, keys), "caption": caption}
    return {
        "choices": [one for one in choices if len(one[2]) > 1],
        "standings": standings,
        "runs": len(content.trained),
    }


def _standing(standing: Standing, keys: Mapping[str, str]) -> dict[str, Any]:
    ends = scale(standing)
    return {"places": {keys[one.contender]: _cells(one, ends) for one in standing.places}}


def _cells(place: Place, ends: Ends) -> dict[str, Any]:
    """Return what the script puts into the cells of a row: texts, values to sort by, and the bar."""
    values = {"rank": place.rank, "mean": place.mean, "ranks": place.rank_low, "first": place.first}
    return {"texts": place_texts(place), "values": values, "bar": bar_styles(place, ends)}


def _matrix(analysis: Analysis) -> dict[str, Any] | None:
    claims = _pairs(analysis)
    if len(claims) < 2:
        return None
    cells = {(one.first, one.second): one.verdict for one in claims}
    cells |= {(one.second, one.first): MIRRORED[one.verdict] for one in claims}
    named = {name for pair in cells for name in pair}
    return {"order": [one.contender for one in analysis.overall.places if one.contender in named], "cells": cells}


def _pairs(analysis: Analysis) -> tuple[Claim, ...]:
    return next((family.claims for family in analysis.families if family.id == "pairs"), ())


def _pipeline(content: Content, profile: Profile) -> dict[str, Any]:
    analysis = content.analysis
    standings = analysis.standings() if len(analysis.by_dataset) > 1 else tuple(analysis.by_dataset.values())
    places = [
        (one, next((place for place in one.places if place.contender == profile.name), None), scale(one))
        for one in standings
    ]
    claims = [one for one in _pairs(analysis) if profile.name in (one.first, one.second)]
    extremes = [
        (dataset, _pictured(content, worst), _pictured(content, best))
        for dataset in analysis.by_dataset
        for worst, best in [content.extremes.get(profile.name, {}).get(dataset, ([], []))]
        if worst
    ]
    datasets = list(dict.fromkeys(run.dataset for run in profile.runs))
    curves = [(name, plots.curves([run for run in profile.runs if run.dataset == name])) for name in datasets]
    drawn = any(shown for _, worst, best in extremes for _, shown in (*worst, *best))
    notes = dict.fromkeys(content.notes[name] for name, *_ in extremes if content.notes.get(name))
    return {
        "one": profile,
        "places": places,
        "claims": claims,
        "counts": _counts(claims, profile.name),
        "extremes": extremes,
        "curves": curves,
        "drawn": drawn,
        "note": "" if drawn else "; ".join(notes),
        "plots": bool(curves),
    }


def _counts(claims: Sequence[Claim], name: str) -> dict[str, int]:
    """Count verdicts on a contender, whichever side of a claim it is on."""
    words = [one.verdict if one.first == name else MIRRORED[one.verdict] for one in claims]
    return {verdict: words.count(verdict) for verdict in DECISIONS}


def _dataset(content: Content, name: str, standing: Standing) -> dict[str, Any]:
    analysis = content.analysis
    pictures = [(seen, shown) for seen, shown in _pictured(content, content.shown_hard.get(name, [])) if shown]
    return {
        "name": name,
        "entry": _entry(name),
        "standing": standing,
        "boxes": plots.boxes(analysis.table.select(dataset=name), standing, content.profiles, analysis.question.title),
        "hard": content.hard[name],
        "pictures": pictures,
        "drawn_by": content.profiles[pictures[0][0].contender].label if pictures else "",
        "note": content.notes.get(name, ""),
        "plots": True,
    }


def _pictured(content: Content, seen: Sequence[Seen]) -> list[tuple[Seen, Shown | None]]:
    return [(one, content.pictures.get(one)) for one in seen]


def _entry(name: str) -> Dataset | None:
    try:
        return get_dataset(name)
    except UserError:
        return None
