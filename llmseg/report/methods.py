"""The methods section of a report: how its numbers were computed, in sentences written from records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmseg import __version__
from llmseg.errors import shorten_list
from llmseg.report.analysis import Analysis
from llmseg.report.datasets import Origin
from llmseg.report.families import Family
from llmseg.report.profiles import Profile
from llmseg.stats.columns import SHARES
from llmseg.stats.words import count_text, sentence
from llmseg.study.results import ContenderRun

_STUDY = "The authors of the study. LLM-Driven Baselines for Medical Image Segmentation."

_BOUNDED = (
    "The interval of a mean (95 %) is Gaffke's bound for scores between 0 and 1, over groups of cases; datasets and "
    "the part of the seeds are combined by squares (MOVER)."
)
_BOOTSTRAP = (
    "The interval of a mean (95 %) is a hierarchical, studentised bootstrap: groups of cases are drawn within "
    "datasets, the part of the seeds comes from a normal law."
)


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
        about: What is cited, such as the library or a dataset.
        text: The citation.
    """

    about: str
    text: str


def write_methods(
    analysis: Analysis,
    profiles: Mapping[str, Profile],
    trained: Sequence[ContenderRun],
    origins: Mapping[str, Origin],
) -> tuple[Section, ...]:
    """Write the methods of a report.

    Args:
        analysis: What was computed.
        profiles: The contenders.
        trained: The runs; empty if only scores were given.
        origins: Where the datasets come from, by their names.
    """
    return (
        Section("Data and contenders", tuple(_data(analysis, profiles, trained, origins))),
        Section("Training", tuple(_training(trained, profiles))),
        Section("Scores", tuple(_scores(analysis, trained))),
        Section("Means and ranks", tuple(_means(analysis))),
        *(Section(f"Claims: {family.question}", tuple(_claims(family))) for family in analysis.families),
        Section("Software", tuple(_software(trained))),
    )


def _data(
    analysis: Analysis,
    profiles: Mapping[str, Profile],
    trained: Sequence[ContenderRun],
    origins: Mapping[str, Origin],
) -> Iterable[str]:
    frame = analysis.table.frame
    cohorts = Counter(profile.cohort for profile in profiles.values())
    kinds = shorten_list(f"{count} {name}" for name, count in sorted(cohorts.items()))
    yield f"{count_text(len(profiles), 'contender')} ({kinds}) on {count_text(len(analysis.by_dataset), 'dataset')}."
    for dataset, rows in frame.groupby("dataset", sort=False, observed=True):
        cases, groups = rows["case"].nunique(), rows["group"].nunique()
        seeds = shorten_list(sorted(rows["seed"].unique()))
        folds = len({run.fold for run in trained if run.dataset == dataset and run.fold})
        trainings = count_text(rows["seed"].nunique() * max(folds, 1), "training")
        divided = f" in {count_text(folds, 'fold')}" if folds else ""
        yield (
            f"{dataset}: {count_text(cases, 'case')} in {count_text(groups, 'group')}; "
            f"{trainings} per contender (seeds {seeds}{divided}). "
            f"{origins[str(dataset)].sentence}"
        )


def _training(trained: Sequence[ContenderRun], profiles: Mapping[str, Profile]) -> Iterable[str]:
    if not trained:
        yield "This report was made from scores alone; how the contenders were trained is not known to it."
        return
    records = [trained_run.run.record for trained_run in trained]
    yield f"{count_text(len(records), 'training')}, each of a recipe that is shown on the contender's page."
    changed = [profile.label for profile in profiles.values() if profile.changed]
    if changed:
        yield f"The recipes of {shorten_list(changed)} differ from the published ones in fields that their pages list."
    started = sum("start" in record for record in records)
    if started:
        whose = "All" if started == len(records) else f"{started} of {len(records)}"
        yield f"{whose} started from the weights of another training, whose epochs are not in the recipe that is shown."
    held_out = [record for record in records if record.get("holdout")]
    if len(held_out) == len(records):
        yield "The test cases were held out before training, by group, and are named by a digest in every run."
    elif held_out:
        yield f"Test cases were held out by a manifest in {len(held_out)} of {len(records)} trainings."
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
    yield from (sentence(remark) for remark in analysis.table.remarks)


def _means(analysis: Analysis) -> Iterable[str]:
    overall = analysis.overall
    yield "A mean over all datasets gives every dataset the same weight; within a dataset every case counts alike."
    yield _BOUNDED if analysis.question.measure in SHARES else _BOOTSTRAP
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
    # All claims of a family have these in common.
    claim = family.claims[0]
    margin = "no margin was given, so equivalence is not tested" if claim.margin is None else f"margin {claim.margin:g}"
    method = {"holm": "Holm's method", "benjamini-hochberg": "Benjamini and Hochberg's method"}.get(claim.correction)
    yield f"Method: {claim.method}."
    yield f"Family: {claim.family}, {count_text(len(family.claims), 'comparison')}; {margin}; level {claim.alpha:g}."
    yield f"p values corrected by {method}." if method else "p values are not corrected."
    yield f"Unit of inference: the {claim.unit}, {claim.units} of them."
    if claim.assumptions:
        yield f"Assumed: {'; '.join(claim.assumptions)}."
    for remark in dict.fromkeys(remark for claim in family.claims for remark in claim.remarks):
        yield sentence(remark)


def _software(trained: Sequence[ContenderRun]) -> Iterable[str]:
    yield f"This report was written by llmseg {__version__}."
    records = [trained_run.run.record for trained_run in trained]
    used = [
        f"{name} {shorten_list(sorted({str(record['versions'][name]) for record in records}))}"
        for name in ("llmseg", "torch", "monai", "python")
        if records and all(name in record.get("versions", ()) for record in records)
    ]
    if used:
        yield f"The trainings used {', '.join(used)}."
    codes = sorted({str(record["code"]) for record in records if "code" in record})
    if codes:
        shown = shorten_list("+".join(part[:12] for part in code.split("+")) for code in codes)
        older = " and of earlier versions, which did not record it" if not all("code" in r for r in records) else ""
        yield f"They ran the code of llmseg with the digest {shown}{older}."


def list_citations(origins: Mapping[str, Origin], profiles: Mapping[str, Profile]) -> tuple[Citation, ...]:
    """Return what to cite: the library, the study if its pipelines take part, and the datasets of the catalogue."""
    citations = [
        Citation(
            "the library",
            f"The llmseg authors. llmseg: segmentation pipelines written by large language models, replayed. "
            f"Version {__version__}.",
        )
    ]
    if any(profile.card is not None and not profile.card.is_reference for profile in profiles.values()):
        citations.append(Citation("the pipelines", _STUDY))
    for name, origin in origins.items():
        if origin.entry is not None and origin.entry.citation:
            citations.append(Citation(name, origin.entry.citation))
    return tuple(citations)
