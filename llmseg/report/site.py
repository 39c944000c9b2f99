"""Writing a report: folders of runs and tables of scores become a folder of pages."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.data.given import GivenStore, find_store
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.files import check_text
from llmseg.files.notes import explain
from llmseg.report import overlays
from llmseg.report.analysis import Analysis, analyse
from llmseg.report.cases import CaseScore, HardCase, extreme_cases, hardest_cases
from llmseg.report.datasets import find_origins
from llmseg.report.downloads import write_downloads
from llmseg.report.figure_files import check_extension, draw_figures
from llmseg.report.folder import check_free, new_folder
from llmseg.report.headline import write_headline
from llmseg.report.leaderboard import find_beside
from llmseg.report.names import page_names
from llmseg.report.pages import HERE, Content, render
from llmseg.report.pictures import draw_cases, draw_networks
from llmseg.report.profiles import Profile, look_up_profiles
from llmseg.report.published import draw_published, find_published
from llmseg.report.question import Question
from llmseg.report.source import read_sources
from llmseg.report.standings import Standing
from llmseg.stats.table import contender_names
from llmseg.study.results import ContenderRun, Results

if TYPE_CHECKING:
    from tqdm import tqdm

_DELAY = 2.0
"""Seconds after which one should know how far the report is."""

_HARD, _HARD_DRAWN = 10, 4
"""Number of hardest cases of a dataset that are listed, and how many of them are drawn."""


@dataclass(frozen=True)
class Report:
    """A report on disk.

    Attributes:
        folder: The folder. It holds ``index.html``, ``claims.html``, ``methods.html``, ``downloads.html``, a page per
            contender in ``pipelines/`` and per dataset in ``datasets/``, pictures in ``images/``, tables in
            ``data/`` and, if asked for, figures in ``figures/``.
        headline: Its first sentence: who is best, and whether that is shown.
        analysis: What the report says.
        notes: Why a dataset has no pictures, by dataset.
        labels: What contenders are called in the report, by their names in tables.
    """

    folder: Path
    headline: str
    analysis: Analysis
    notes: Mapping[str, str]
    labels: Mapping[str, str]

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"


def write_report(
    runs: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    title: str = "Segmentation report",
    measure: str | Sequence[str] = "dice",
    margin: float | None = None,
    reference: str | None = None,
    stores: Sequence[GivenStore] = (),
    cases: int = 3,
    figures: str | None = None,
    progress: bool = True,
) -> Report:
    """Write a report as a folder of pages, which a browser opens from disk, without network.

    The same input gives the same bytes. The folder appears as a whole, and an earlier report in it is replaced.

    Args:
        runs: Folders of studies, runs and evaluations, and tables of scores in CSV or parquet files; one, or several.
        out: The folder to write.
        title: Title of the report.
        measure: Which measure. Of several, the first is the primary one, which the report is about. The others stand
            below it on the leaderboard, and their claims are corrected apart.
        margin: Differences below it do not matter; ``None`` takes 0.01 for shares such as Dice, none for others.
        reference: A contender that all others are compared with, instead of the first that the zoo knows as one.
        stores: Stores with the images for overlays, or their paths. Images of other datasets are looked for where the
            runs had them.
        cases: Number of best and of worst cases per contender and dataset; 0 for none, and no overlays.
        figures: Also write every figure that the data allow, as ``pdf``, ``svg`` or ``png``.
        progress: Whether to show, after two seconds, how far the report is.

    Raises:
        UserError: There are no scores or they cannot be put into one table, there is no such measure or reference, an
            option is out of range, a store is not that of the runs, the folder holds something else, or the disk is
            full.

    Example:
        >>> from llmseg import write_report
        >>> write_report(["studies/brain"], "report").index  # doctest: +SKIP
        PosixPath('report/index.html')
    """
    out = Path(out)
    if cases < 0:
        raise UserError(f"{cases} cases: give 0 or more")
    check_text("title", title)
    check_extension(figures)
    # Before anything is computed, and again when the report is moved to its place.
    check_free(out)
    from tqdm import tqdm

    opened = [find_store(store) for store in stores]
    with tqdm(desc="read", unit="step", leave=False, delay=_DELAY, disable=not progress) as bar:
        results = read_sources(runs)
        question = Question.of(measure, margin, reference)
        names = results.scores.select(measure=question.measure, phase=question.phase).contenders
        profiles = look_up_profiles(names, results.runs, (reference,) if reference in names else ())
        _advance(bar, "compare")
        analysis = analyse(results.scores, question, {name: profile.card for name, profile in profiles.items()})
        with new_folder(out) as folder:
            content = _content(title, results, analysis, profiles, opened, cases, figures, folder, bar)
            _advance(bar, "write pages")
            _write(content, folder)
    labels = {name: profile.label for name, profile in profiles.items()}
    return Report(out, content.headline, analysis, content.notes, labels)


def _advance(bar: tqdm[Any], doing: str) -> None:
    """Say that a step is done, and what is done next."""
    explain(f"report: {doing}")
    bar.set_description(doing, refresh=False)
    bar.update()


def _content(
    title: str,
    results: Results,
    analysis: Analysis,
    profiles: Mapping[str, Profile],
    stores: Sequence[Store],
    cases: int,
    figures: str | None,
    folder: Path,
    bar: tqdm[Any],
) -> Content:
    """Return what pages show; pictures and tables are written on the way."""
    measure, table = analysis.question.measure, analysis.table
    extremes = extreme_cases(table, measure, cases) if cases else {}
    hard = hardest_cases(table, measure, _HARD)
    trained = tuple(run for run in results.runs if run.contender in profiles)
    predicting = tuple(run for run in trained if run.has_weights)
    shown_hard = _shown_hard(analysis, hard, predicting) if cases else {}
    images = overlays.find_stores(predicting, stores) if cases else {}
    wanted = [
        score
        for by_dataset in extremes.values()
        for worst_and_best in by_dataset.values()
        for scores in worst_and_best
        for score in scores
    ]
    wanted += [score for scores in shown_hard.values() for score in scores]
    bar.total = bar.n + len(set(wanted)) + len(profiles) + 1
    advance = functools.partial(_advance, bar)
    pages = page_names(table.datasets)
    published = find_published(results, analysis.question, stores)
    references = [name for name, profile in profiles.items() if profile.contender.is_reference]
    pictures, case_pages = draw_cases(wanted, predicting, images, profiles, pages, folder, advance)
    return Content(
        title=title,
        headline=write_headline(analysis, {name: profile.label for name, profile in profiles.items()}),
        analysis=analysis,
        profiles=profiles,
        trained=trained,
        origins=find_origins(results, table.datasets, stores),
        pages=pages,
        extremes=extremes,
        hard=hard,
        shown_hard=shown_hard,
        beside=find_beside(analysis, profiles),
        pictures=pictures,
        cases=case_pages,
        networks=draw_networks(profiles, folder, advance),
        notes=_notes(table.datasets, predicting, images, cases),
        downloads=write_downloads(analysis, published, folder),
        figures=draw_figures(
            results, folder, figures, measure=measure, references=references, stores=tuple(images.values())
        ),
        published=(published, draw_published(published, folder)) if published else None,
    )


def _shown_hard(
    analysis: Analysis, hard: Mapping[str, list[HardCase]], trained: Sequence[ContenderRun]
) -> Mapping[str, list[CaseScore]]:
    """Choose whose masks of the hardest cases are shown: those of the best contender that has a run there."""
    frame = analysis.table.frame
    frame = frame.assign(contender=contender_names(frame))
    shown = {}
    for dataset, standing in analysis.by_dataset.items():
        best = _best_with_run(standing, dataset, trained)
        if best is None:
            continue
        contender, seed = best
        rows = frame[(frame["contender"] == contender) & (frame["dataset"] == dataset) & (frame["seed"] == seed)]
        values = dict(zip(rows["case"], rows["value"], strict=True))
        names = [hard_case.case for hard_case in hard[dataset][:_HARD_DRAWN] if hard_case.case in values]
        shown[dataset] = [CaseScore(contender, dataset, name, seed, float(values[name])) for name in names]
    return shown


def _best_with_run(standing: Standing, dataset: str, trained: Sequence[ContenderRun]) -> tuple[str, int] | None:
    """Return the best contender that has a run on a dataset, and its smallest seed there."""
    for place in standing.places:
        seeds = [run.seed for run in trained if (run.contender, run.dataset) == (place.contender, dataset)]
        if seeds:
            return place.contender, min(seeds)
    return None


def _notes(
    datasets: Sequence[str], trained: Sequence[ContenderRun], images: Mapping[str, Store], cases: int
) -> dict[str, str]:
    """Say why a dataset has no pictures."""
    if not cases:
        return {}
    with_runs = {run.dataset for run in trained}
    return {
        name: overlays.NO_RUNS if name not in with_runs else overlays.NO_STORE
        for name in datasets
        if name not in with_runs or name not in images
    }


def _write(content: Content, folder: Path) -> None:
    """Write the pages, with the script, the style sheet and plotly.js: a report needs no network."""
    for path, text in render(content):
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    (folder / "assets").mkdir()
    for source in (*(HERE / "assets").iterdir(), _plotly()):
        # Contents only: the files of the installed package have permissions that are nothing to the user.
        shutil.copyfile(source, folder / "assets" / source.name)


def _plotly() -> Path:
    from importlib.resources import files

    return Path(str(files("plotly") / "package_data/plotly.min.js"))
