"""How the figures of a report came about, in sentences written from records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmseg import __version__
from llmseg.data.catalog import get_dataset
from llmseg.errors import UserError
from llmseg.report.analysis import Analysis
from llmseg.report.families import Family
from llmseg.report.profiles import Profile
from llmseg.stats.columns import SHARES
from llmseg.stats.words import shorten_list
from llmseg.study.results import ContenderRun

_STUDY = "The authors of the study. LLM-Driven Baselines for Medical Image Segmentation."


@dataclass(frozen=True)
class Section:
    """A part of the methods text.

    Attributes:
        title: Its heading.
        sentences: What it says.
    """

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Citation:
    """Something to cite.

    Attributes:
        about: What it is for.
        text: The citation.
    """

    about: str
    text: str


def methods(
    analysis: Analysis, profiles: Mapping[str, Profile], trained: Sequence[ContenderRun]
) -> tuple[Section, ...]:
    """Write the methods of a report.

    Args:
        analysis: What was computed.
        profiles: The contenders.
        trained: The runs, none if only scores were given.
    """
    return (
        Section("Data and contenders", tuple(_data(analysis, profiles))),
        Section("Training", tuple(_training(trained, profiles))),
        Section("Scores", tuple(_scores(analysis, trained))),
        Section("Means and ranks", tuple(_means(analysis))),
        *(Section(f"Claims: {one.question}", tuple(_claims(one))) for one in analysis.families),
        Section("Software", tuple(_software(trained))),
    )


def _data(analysis: Analysis, profiles: Mapping[str, Profile]) -> Iterable[str]:
    frame = analysis.table.frame
    cohorts = _counted(profile.cohort for profile in profiles.values())
    kinds = shorten_list(f"{number} {name}" for name, number in cohorts.items())
    yield f"{_number(len(profiles), 'contender')} ({kinds}) on {_number(len(analysis.by_dataset), 'dataset')}."
    for dataset, rows in frame.groupby("dataset", sort=False, observed=True):
        cases, groups = rows["case"].nunique(), rows["group"].nunique()
        seeds = shorten_list(sorted(rows["seed"].unique()))
        yield (
            f"{dataset}: {_number(cases, 'case')} in {_number(groups, 'group')}; "
            f"{_number(rows['seed'].nunique(), 'training')} per contender (seeds {seeds})."
        )


def _training(trained: Sequence[ContenderRun], profiles: Mapping[str, Profile]) -> Iterable[str]:
    if not trained:
        yield "This report was made from scores alone; how the contenders were trained is not known to it."
        return
    records = [one.run.record for one in trained]
    yield f"{_number(len(records), 'training')}, each of a recipe that is shown on the contender's page."
    changed = [profile.label for profile in profiles.values() if profile.changed]
    if changed:
        yield f"The recipes of {shorten_list(changed)} differ from the published ones in fields that their pages list."
    held = [record for record in records if record.get("holdout")]
    if len(held) == len(records):
        yield "The test cases were held out before training, by group, and are named by a digest in every run."
    elif held:
        yield f"Test cases were held out by a manifest in {len(held)} of {len(records)} trainings."
    precisions = shorten_list(sorted({str(record["how"]["precision"]) for record in records}))
    devices = shorten_list(sorted({str(record["how"]["device"]) for record in records}))
    yield f"Trained on {devices} in {precisions}."


def _scores(analysis: Analysis, trained: Sequence[ContenderRun]) -> Iterable[str]:
    measure = analysis.question.measure
    yield f"The measure is {measure}, per case, on the {analysis.question.phase} cases."
    if trained:
        yield (
            "A pixel counts as foreground above a probability of one half, on the image's own grid; two empty masks "
            "score 1, one empty mask 0."
        )
    yield from (f"{remark[0].upper()}{remark[1:]}." for remark in analysis.table.remarks)


def _means(analysis: Analysis) -> Iterable[str]:
    overall = analysis.overall
    yield "A mean over all datasets gives every dataset the same weight; within a dataset every case counts alike."
    cut = ", cut to 0 and 1" if analysis.question.measure in SHARES else ""
    yield (
        "The interval of a mean (95 %) is a hierarchical, studentised bootstrap: groups of cases are drawn within "
        f"datasets, the part of the seeds comes from a normal law{cut}."
    )
    yield (
        "Ranks are those of the means; ranks on 1000 resamples of groups and of seeds give the interval of a rank "
        "(95 %) and how often a contender is first."
    )
    if overall.sentence:
        yield overall.sentence
    for standing in analysis.standings():
        where = "All datasets" if standing is overall else standing.dataset
        yield from (f"{where}: {remark}." for remark in standing.remarks if remark not in analysis.table.remarks)
        yield from (f"{where}: {name} is not ranked, {why}." for name, why in standing.absent.items())


def _claims(family: Family) -> Iterable[str]:
    if not family.claims:
        yield f"Not answered: {family.reason}."
        return
    one = family.claims[0]
    margin = "no margin was given, so equivalence is not tested" if one.margin is None else f"margin {one.margin:g}"
    corrected = {"holm": "Holm's method", "benjamini-hochberg": "Benjamini and Hochberg's method"}.get(one.correction)
    yield f"Method: {one.method}."
    yield f"Family: {one.family}, {_number(len(family.claims), 'comparison')}; {margin}; level {one.alpha:g}."
    yield f"p values corrected by {corrected}." if corrected else "p values are not corrected."
    yield f"Unit of inference: the {one.unit}, {one.units} of them."
    if one.assumptions:
        yield f"Assumed: {'; '.join(one.assumptions)}."
    for remark in dict.fromkeys(remark for claim in family.claims for remark in claim.remarks):
        yield f"{remark[0].upper()}{remark[1:]}."


def _software(trained: Sequence[ContenderRun]) -> Iterable[str]:
    yield f"This report was written by llmseg {__version__}."
    records = [one.run.record for one in trained]
    used = [
        f"{name} {shorten_list(sorted({str(record['versions'][name]) for record in records}))}"
        for name in ("llmseg", "torch", "monai", "python")
        if records and all(name in record.get("versions", ()) for record in records)
    ]
    if used:
        yield f"The trainings used {', '.join(used)}."


def citations(datasets: Iterable[str], profiles: Mapping[str, Profile]) -> tuple[Citation, ...]:
    """Return what to cite: the library, the study where its pipelines take part, and known datasets."""
    found = [
        Citation(
            "the library",
            f"The llmseg authors. llmseg: segmentation pipelines written by large language models, replayed. "
            f"Version {__version__}.",
        )
    ]
    if any(profile.card is not None and not profile.card.is_reference for profile in profiles.values()):
        found.append(Citation("the pipelines", _STUDY))
    for name in datasets:
        entry = _known(name)
        if entry is not None and entry.citation:
            found.append(Citation(name, entry.citation))
    return tuple(found)


def _known(name: str) -> Any:
    try:
        return get_dataset(name)
    except UserError:
        return None


def _counted(words: Iterable[str]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for word in words:
        counted[word] = counted.get(word, 0) + 1
    return dict(sorted(counted.items()))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
