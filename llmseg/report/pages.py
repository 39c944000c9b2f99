"""The pages of a report: templates, filled with what was computed."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg import __version__
from llmseg.figures.style import AGREEMENT
from llmseg.report import plots
from llmseg.report.analysis import Analysis
from llmseg.report.cases import CaseScore, Extremes, HardCase
from llmseg.report.costs import describe_devices, find_cost
from llmseg.report.datasets import Origin
from llmseg.report.downloads import Download
from llmseg.report.families import Family, find_pairs
from llmseg.report.figure_files import FigureFiles
from llmseg.report.leaderboard import Beside, fill_index
from llmseg.report.methods import list_citations, write_methods
from llmseg.report.names import name_for_readers
from llmseg.report.pictures import CasePage, Picture
from llmseg.report.profiles import Profile
from llmseg.report.published import fill_page, list_published_means
from llmseg.report.question import name_measure
from llmseg.report.standings import Standing
from llmseg.report.texts import bar_scale, bar_styles, place_texts, score_text, value_text
from llmseg.stats.claims import DECISIONS, MIRRORED, Claim
from llmseg.stats.words import count_text, sentence
from llmseg.study.published.comparison import PublishedComparison
from llmseg.study.results import ContenderRun

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent

PUBLISHED = "published.html"

# The template of every page lists them; that of published figures only where there are some.
NAV = (
    ("index.html", "Leaderboard"),
    ("claims.html", "Claims"),
    (PUBLISHED, "Published"),
    ("methods.html", "Methods"),
    ("downloads.html", "Downloads"),
)

SIGNS = {"better": "▲", "equivalent": "=", "undecided": "·", "worse": "▼"}
"""Marks of verdicts in the square of all pairs; readers who do not see colours need them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """All that pages show.

    Attributes:
        title: Title of the report.
        headline: Its first sentence.
        analysis: What was computed.
        profiles: The contenders by name.
        trained: The runs.
        origins: Where the datasets come from, by their names.
        pages: Names of the pages of datasets, without extension, by dataset.
        extremes: Worst and best cases, by contender and dataset.
        hard: Hardest cases by dataset.
        shown_hard: The hardest cases of which there is a picture, by dataset: how the best contender scored on them.
        beside: What leaderboards show beside ranks.
        pictures: Pictures by the score they belong to.
        cases: What the pages of cases show.
        networks: Drawings of networks, by contender.
        notes: Why a dataset has no pictures, by dataset.
        downloads: Tables to download.
        figures: The figures as files.
        published: What is beside the published figures of the study, with width and height of its figure; ``None``
            where there is nothing to compare.
    """

    title: str
    headline: str
    analysis: Analysis
    profiles: Mapping[str, Profile]
    trained: Sequence[ContenderRun]
    origins: Mapping[str, Origin]
    pages: Mapping[str, str]
    extremes: Extremes
    hard: Mapping[str, list[HardCase]]
    shown_hard: Mapping[str, list[CaseScore]]
    beside: Beside
    pictures: Mapping[CaseScore, Picture]
    cases: Sequence[CasePage]
    networks: Mapping[str, Picture]
    notes: Mapping[str, str]
    downloads: Sequence[Download]
    figures: FigureFiles
    published: tuple[PublishedComparison, tuple[int, int]] | None = None


def render(content: Content) -> Iterator[tuple[str, str]]:
    """Yield the path, relative to the folder of the report, and the text of every page."""
    environment = _environment({name: profile.label for name, profile in content.profiles.items()})
    shared = {
        "site": {
            "title": content.title,
            "nav": _list_pages(content),
            "menus": _list_menus(content),
            "version": __version__,
        },
        "beside": content.beside,
        "with_ranks": any(standing.places and not standing.few for standing in content.analysis.standings()),
        "analysis": content.analysis,
        "profiles": content.profiles,
        "pages": content.pages,
        "measure": content.analysis.question.title,
        "titles": {name: name_measure(name) for name in content.analysis.question.secondary},
        "colours": AGREEMENT,
        "plots": False,
    }

    def page(path: str, template: str, **own: Any) -> tuple[str, str]:
        root = "../" * path.count("/")
        return path, environment.get_template(template).render({**shared, "root": root, "here": path, **own})

    yield page("index.html", "index.html", **_index(content))
    yield page("claims.html", "claims.html", verdicts=DECISIONS, signs=SIGNS, matrix=_matrix(content.analysis))
    if content.published:
        yield page(PUBLISHED, PUBLISHED, **fill_page(*content.published))
    sections = write_methods(content.analysis, content.profiles, content.trained, content.origins)
    cited = list_citations(content.origins, content.profiles)
    yield page("methods.html", "methods.html", sections=sections, citations=cited)
    yield page("downloads.html", "downloads.html", files=content.downloads, figures=content.figures)
    for profile in content.profiles.values():
        yield page(f"pipelines/{profile.page}.html", "pipeline.html", **_pipeline(content, profile))
    for name, standing in content.analysis.by_dataset.items():
        yield page(f"datasets/{content.pages[name]}.html", "dataset.html", **_dataset(content, name, standing))
    for case in content.cases:
        yield page(case.path, "case.html", case=case)


def _list_pages(content: Content) -> list[tuple[str, str]]:
    return [(path, word) for path, word in NAV if path != PUBLISHED or content.published]


def _list_menus(content: Content) -> dict[str, list[tuple[str, str]]]:
    """Return the pages of pipelines and datasets with their names, by the word of the menu that lists them."""
    return {
        "Pipelines": [(f"pipelines/{profile.page}.html", profile.label) for profile in content.profiles.values()],
        "Datasets": [(f"datasets/{content.pages[name]}.html", name) for name in content.analysis.by_dataset],
    }


def _environment(labels: Mapping[str, str]) -> Environment:
    """Return jinja's environment for the templates.

    Names of contenders, datasets and cases come from anywhere and may look like HTML or JavaScript. Templates escape
    all text by themselves (autoescape). Scripts hold no names: pages have no script of their own, and what the common
    script needs stands in the page as JSON, which a browser does not execute, written by ``tojson``, which escapes what
    could end the element. The content security policy of ``base.html`` refuses any other script. A misspelt variable
    in a template is an error, not an empty text (StrictUndefined).
    """
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
        "count_text": count_text,
        "place_texts": place_texts,
        "family_remarks": _family_remarks,
        "named": functools.partial(name_for_readers, labels=labels),
        "one_seed": _rest_on_one_seed,
        "scale": bar_scale,
        "score_text": score_text,
        "sentence": sentence,
        "value_text": value_text,
    }
    # JSON knows no NaN: one in the data is a mistake to find here, not in a reader's browser.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    return environment


def _family_remarks(family: Family) -> list[str]:
    return list(dict.fromkeys(remark for claim in family.claims for remark in claim.remarks))


def _index(content: Content) -> dict[str, Any]:
    analysis = content.analysis
    return {
        **fill_index(analysis, content.profiles, content.beside, content.pages),
        "headline": content.headline,
        "runs": len(content.trained),
        "devices": describe_devices(content.trained),
    }


def _matrix(analysis: Analysis) -> dict[str, Any] | None:
    """Return the square of all pairs; ``None`` where there are fewer than two."""
    claims = _pairs(analysis)
    if len(claims) < 2:
        return None
    cells = {(claim.first, claim.second): claim.verdict for claim in claims}
    cells |= {(claim.second, claim.first): MIRRORED[claim.verdict] for claim in claims}
    compared = {name for pair in cells for name in pair}
    ranked = [place.contender for place in analysis.overall.places]
    return {"order": [name for name in ranked if name in compared], "cells": cells}


def _pairs(analysis: Analysis) -> tuple[Claim, ...]:
    pairs = find_pairs(analysis.families)
    return pairs.claims if pairs else ()


def _pipeline(content: Content, profile: Profile) -> dict[str, Any]:
    analysis = content.analysis
    standings = analysis.standings() if len(analysis.by_dataset) > 1 else tuple(analysis.by_dataset.values())
    places = [
        (standing, next((place for place in standing.places if place.contender == profile.name), None))
        for standing in standings
    ]
    claims = [claim for claim in _pairs(analysis) if profile.name in (claim.first, claim.second)]
    extremes = [
        (dataset, _add_pictures(content, worst), _add_pictures(content, best))
        for dataset in analysis.by_dataset
        # A loop over one pair, to give its two lists names within the comprehension.
        for worst, best in [content.extremes.get(profile.name, {}).get(dataset, ([], []))]
        if worst
    ]
    datasets = list(dict.fromkeys(run.dataset for run in profile.runs))
    curves = [(name, plots.loss_plot([run for run in profile.runs if run.dataset == name])) for name in datasets]
    drawn = any(picture for _, worst, best in extremes for _, picture in (*worst, *best))
    notes = dict.fromkeys(content.notes[name] for name, *_ in extremes if content.notes.get(name))
    return {
        "profile": profile,
        "cost": find_cost(profile),
        "network": content.networks.get(profile.name),
        "published": list_published_means(profile.name, content.analysis.question),
        "places": places,
        "claims": claims,
        "counts": _counts(claims, profile.name),
        "extremes": extremes,
        "curves": curves,
        "drawn": drawn,
        "note": "" if drawn else "; ".join(notes),
        "plots": bool(curves),
    }


def _rest_on_one_seed(claims: Sequence[Claim]) -> bool:
    return any(claim.from_one_seed for claim in claims)


def _counts(claims: Sequence[Claim], name: str) -> dict[str, int]:
    """Count verdicts on a contender, whichever side of a claim it is on."""
    verdicts = [claim.verdict if claim.first == name else MIRRORED[claim.verdict] for claim in claims]
    return {verdict: verdicts.count(verdict) for verdict in DECISIONS}


def _dataset(content: Content, name: str, standing: Standing) -> dict[str, Any]:
    analysis = content.analysis
    scores = analysis.table.select(dataset=name)
    hard = _add_pictures(content, content.shown_hard.get(name, []))
    pictures = [(score, picture) for score, picture in hard if picture]
    boxes, left_out = plots.box_plot(scores, standing, content.profiles, analysis.question.title)
    return {
        "name": name,
        "origin": content.origins[name],
        "standing": standing,
        "boxes": boxes,
        "left_out": left_out,
        "hard": content.hard[name],
        "pictures": pictures,
        "drawn_by": content.profiles[pictures[0][0].contender].label if pictures else "",
        "note": content.notes.get(name, ""),
        "plots": True,
    }


def _add_pictures(content: Content, scores: Sequence[CaseScore]) -> list[tuple[CaseScore, Picture | None]]:
    return [(score, content.pictures.get(score)) for score in scores]
