"""The command that writes a report: llmseg report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import llmseg
from llmseg.cli import options as option
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.report.names import name_for_readers

if TYPE_CHECKING:
    from llmseg.report import Report


@spread
def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of studies, runs and evaluations; tables (.csv, .parquet).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder; an earlier report in it is replaced.")],
    output: OutputWithProgress,
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Segmentation report",
    measure: option.Measures = None,
    margin: Annotated[
        float | None, typer.Option(help="Differences below it do not matter; by default 0.01 for shares such as Dice.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Compare all with this contender, instead of the zoo's first reference.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A store with the images, if it is not where the runs had it; repeatable."),
    ] = None,
    cases: Annotated[int, typer.Option(help="Best and worst cases to show per contender and dataset.", min=0)] = 3,
    figures: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Also write all figures, as pdf, svg or png.")
    ] = None,
) -> None:
    """Write a static site: leaderboard, claims, a page per pipeline and dataset, methods, downloads.

    Example: llmseg report studies/two -o report
    """
    written = llmseg.write_report(
        runs,
        out,
        title=title,
        measure=measure or "dice",
        margin=margin,
        reference=reference,
        stores=[llmseg.Hdf5Store(path) for path in data or ()],
        cases=cases,
        figures=figures,
        progress=output.progress,
    )
    output.print(_facts(written) if output.as_json else _describe(written))


def _facts(report: Report) -> dict[str, Any]:
    overall = report.analysis.overall
    return {
        "index": str(report.index),
        "headline": report.headline,
        "verdict": report.analysis.verdict,
        "needs": report.analysis.needs,
        "sentence": overall.sentence,
        "remarks": overall.remarks,
        "absent": overall.absent,
        "notes": report.notes,
    }


def _describe(report: Report) -> str:
    overall = report.analysis.overall
    lines = [
        report.headline,
        report.analysis.verdict,
        report.analysis.needs,
        overall.sentence,
        *(f"remark: {remark}" for remark in overall.remarks),
    ]
    lines += [f"not ranked: {report.labels[name]}: {reason}" for name, reason in overall.absent.items()]
    for reason in dict.fromkeys(report.notes.values()):
        datasets = ", ".join(dataset for dataset, note in report.notes.items() if note == reason)
        lines.append(f"no overlays on {datasets}: {reason}")
    return "\n".join([str(report.index), *(name_for_readers(line, report.labels) for line in lines if line)])
