"""The command that writes a report: llmseg report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg.cli import options as option
from llmseg.cli.common import print_result


def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of studies, runs and evaluations; tables (.csv, .parquet).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder; an earlier report in it is replaced.")],
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Segmentation report",
    measure: Annotated[str, typer.Option(help="Which measure.")] = "dice",
    margin: Annotated[
        float | None, typer.Option(help="Differences below it do not matter; by default 0.01 for shares such as Dice.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Compare all with this contender, instead of the zoo's first reference.")
    ] = None,
    data: Annotated[
        list[Path], typer.Option(help="A store with the images, if it is not where the runs had it; repeatable.")
    ] = [],  # noqa: B006
    cases: Annotated[int, typer.Option(help="Best and worst cases to show per contender and dataset.", min=0)] = 3,
    as_json: option.Json = False,
) -> None:
    """Write a static site: leaderboard, claims, a page per pipeline and dataset, methods, downloads."""
    written = llmseg.write_report(
        runs,
        out,
        title=title,
        measure=measure,
        margin=margin,
        reference=reference,
        stores=[llmseg.Hdf5Store(path) for path in data],
        cases=cases,
    )
    overall = written.analysis.overall
    if as_json:
        found = {"index": str(written.index), "sentence": overall.sentence, "remarks": overall.remarks}
        print_result({**found, "absent": overall.absent, "notes": written.notes}, as_json)
        return
    lines = [str(written.index), overall.sentence, *(f"remark: {text}" for text in overall.remarks)]
    lines += [f"not ranked: {name}: {why}" for name, why in overall.absent.items()]
    for why in dict.fromkeys(written.notes.values()):
        lines.append(f"no overlays on {', '.join(name for name, one in written.notes.items() if one == why)}: {why}")
    print_result("\n".join(line for line in lines if line), as_json)
