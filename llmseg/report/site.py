"""Writing a report: from folders of runs and tables of scores to a folder of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.report import overlays
from llmseg.report.analysis import Analysis, analyse
from llmseg.report.cases import Hard, Seen, extremes, hardest
from llmseg.report.folder import check_free, new_folder
from llmseg.report.names import page_names
from llmseg.report.pages import HERE, Content, Download, Shown, render
from llmseg.report.profiles import Profile, profiles
from llmseg.report.question import Question
from llmseg.report.source import read
from llmseg.stats.claims import claims_frame
from llmseg.stats.table import contender_names
from llmseg.study.results import ContenderRun, Results

_HARD, _HARD_DRAWN = 10, 4
"""Hardest cases of a dataset that are listed, and drawn."""


@dataclass(frozen=True)
class Report:
    """A report on disk.

    Attributes:
        folder: Holds ``index.html``, ``claims.html``, ``methods.html``, ``downloads.html``, a page per contender in
            ``pipelines/`` and per dataset in ``datasets/``, pictures in ``images/`` and tables in ``data/``.
        analysis: What it says.
        notes: What pages lack, and why, by dataset.
    """

    folder: Path
    analysis: Analysis
    notes: Mapping[str, str]

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"


def write_report(
    runs: Iterable[str | Path],
    out: str | Path,
    *,
    title: str = "Segmentation report",
    measure: str = "dice",
    margin: float | None = None,
    reference: str | None = None,
    stores: Sequence[Store] = (),
    cases: int = 3,
) -> Report:
    """Write a report that opens from disk, without network.

    The same input gives the same bytes. The folder appears as a whole; an earlier report in it is replaced.

    Args:
        runs: Folders of studies, runs and evaluations, and tables of scores in CSV or parquet files.
        out: The folder.
        title: Title of the report.
        measure: Which measure.
        margin: Differences below it do not matter; ``None`` takes 0.01 for shares such as Dice, none for others.
        reference: A contender that all others are compared with, instead of the first that the zoo knows as one.
        stores: Images for overlays; without them, they are looked for where the runs had them.
        cases: Best and worst cases per contender and dataset; 0 for none, and no overlays.

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
    check_free(out)
    found = read(runs)
    assert found.table is not None
    question = Question.of(measure, margin, reference)
    names = found.table.select(measure=measure, phase=question.phase).contenders
    known = profiles(names, found.runs, (reference,) if reference in names else ())
    analysis = analyse(found.table, question, {name: one.card for name, one in known.items()})
    with new_folder(out) as folder:
        content = _content(title, found, analysis, known, stores, cases, folder)
        _write(content, folder)
    return Report(out, analysis, content.notes)


def _content(
    title: str,
    found: Results,
    analysis: Analysis,
    known: Mapping[str, Profile],
    stores: Sequence[Store],
    cases: int,
    folder: Path,
) -> Content:
    measure, table = analysis.question.measure, analysis.table
    ends = extremes(table, measure, cases) if cases else {}
    hard = hardest(table, measure, _HARD)
    trained = tuple(one for one in found.runs if one.contender in known)
    shown_hard = _shown_hard(analysis, hard, trained) if cases else {}
    images = overlays.reachable(trained, stores) if cases else {}
    wanted = [
        seen for by_dataset in ends.values() for pair in by_dataset.values() for side in pair for seen in side
    ] + [seen for some in shown_hard.values() for seen in some]
    pictures = _draw(wanted, trained, images, known, page_names(table.datasets), folder)
    return Content(
        title=title,
        analysis=analysis,
        profiles=known,
        trained=trained,
        pages=page_names(table.datasets),
        extremes=ends,
        hard=hard,
        shown_hard=shown_hard,
        pictures=pictures,
        notes=_notes(table.datasets, trained, images, cases),
        downloads=_downloads(analysis, folder),
    )


def _shown_hard(
    analysis: Analysis, hard: Mapping[str, list[Hard]], trained: Sequence[ContenderRun]
) -> Mapping[str, list[Seen]]:
    """Choose whose masks of the hardest cases are shown: those of the best contender that has a run there."""
    frame = analysis.table.frame
    frame = frame.assign(contender=contender_names(frame))
    runs = {(one.contender, one.dataset, one.seed) for one in trained}
    found = {}
    for dataset, standing in analysis.by_dataset.items():
        best = next(
            (
                (place.contender, seed)
                for place in standing.places
                for seed in sorted(one[2] for one in runs if one[:2] == (place.contender, dataset))
            ),
            None,
        )
        if best is None:
            continue
        rows = frame[(frame["contender"] == best[0]) & (frame["dataset"] == dataset) & (frame["seed"] == best[1])]
        values = dict(zip(rows["case"], rows["value"], strict=True))
        names = [one.case for one in hard[dataset][:_HARD_DRAWN] if one.case in values]
        found[dataset] = [Seen(best[0], dataset, name, best[1], float(values[name])) for name in names]
    return found


def _draw(
    wanted: Sequence[Seen],
    trained: Sequence[ContenderRun],
    images: Mapping[str, Store],
    known: Mapping[str, Profile],
    pages: Mapping[str, str],
    folder: Path,
) -> dict[Seen, Shown]:
    shown: dict[Seen, Shown] = {}
    for seen, drawn in overlays.draw(wanted, trained, images):
        place = f"images/{known[seen.contender].page}/{pages[seen.dataset]}-{len(shown)}.png"
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn.png)
        shown[seen] = Shown(place, drawn.width, drawn.height)
    return shown


def _notes(
    datasets: Sequence[str], trained: Sequence[ContenderRun], images: Mapping[str, Store], cases: int
) -> dict[str, str]:
    """Say why a dataset has no pictures."""
    if not cases:
        return {}
    ran = {one.dataset for one in trained}
    return {
        name: overlays.NO_RUNS if name not in ran else overlays.NO_STORE
        for name in datasets
        if name not in ran or name not in images
    }


def _downloads(analysis: Analysis, folder: Path) -> list[Download]:
    claims = claims_frame([claim for family in analysis.families for claim in family.claims])
    for name in ("datasets", "assumptions", "remarks"):
        if name in claims.columns:
            claims[name] = ["; ".join(values) for values in claims[name]]
    rows = [
        {"dataset": standing.dataset, **vars(place)} for standing in analysis.standings() for place in standing.places
    ]
    tables = {
        "scores": ("All scores of this report, a row per contender, seed and case", analysis.table.frame),
        "leaderboard": ("Means, intervals and ranks, over all datasets and on each", pd.DataFrame(rows)),
        "claims": ("All claims with their sentences", claims),
    }
    (folder / "data").mkdir()
    found = []
    for name, (about, frame) in tables.items():
        frame.to_csv(folder / f"data/{name}.csv", index=False, lineterminator="\n")
        found.append(Download(f"data/{name}.csv", about, len(frame)))
    analysis.table.frame.to_parquet(folder / "data/scores.parquet", index=False)
    found.insert(1, Download("data/scores.parquet", "The same as parquet", len(analysis.table.frame)))
    return found


def _write(content: Content, folder: Path) -> None:
    for path, text in render(content):
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    shutil.copytree(HERE / "assets", folder / "assets")
    shutil.copyfile(_plotly(), folder / "assets/plotly.min.js")


def _plotly() -> Path:
    from importlib.resources import files

    return Path(str(files("plotly") / "package_data/plotly.min.js"))
