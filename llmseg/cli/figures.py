"""The command that draws: llmseg figure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import options as option
from llmseg.cli.common import print_result


def figure(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="KIND RUNS...", help="A kind, and folders; with --all, folders only.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file (.pdf, .svg or .png); with --all, a folder.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every figure that the data allow.")] = False,
    kinds: Annotated[bool, typer.Option("--kinds", help="List the kinds.")] = False,
    data: Annotated[
        list[Path], typer.Option(help="A store with the images, for figures that show them; repeatable.")
    ] = [],  # noqa: B006
    dataset: Annotated[str | None, typer.Option(help="Draw this dataset alone.")] = None,
    measure: Annotated[str, typer.Option(help="Which measure.")] = "dice",
    loss: Annotated[str, typer.Option(help="train or validation.")] = "validation",
    rule: Annotated[str, typer.Option(help="mean-then-rank, rank-then-mean or test-based.")] = "mean-then-rank",
    reference: Annotated[
        list[str], typer.Option(help="A contender to show as reference, beside the zoo's own; repeatable.")
    ] = [],  # noqa: B006
    case: Annotated[list[str], typer.Option(help="A case for the panels; repeatable.")] = [],  # noqa: B006
    extension: Annotated[str, typer.Option("--format", help="With --all: pdf, svg or png.")] = "pdf",
    as_json: option.Json = False,
) -> None:
    """Draw a figure of studies, runs and evaluations; --kinds lists the figures there are."""
    from llmseg.figures import kinds as figures
    from llmseg.figures.canvas import check_format, save
    from llmseg.study.results import Results, read_results

    if kinds:
        listed = {name: kind.says for name, kind in figures.KINDS.items()}
        print_result(listed if as_json else _table(listed), as_json)
        return
    kind, folders = _kind(names or [], everything)
    if out is None:
        raise UserError("say where to write: -o " + ("FOLDER" if everything else f"{kind}.pdf"))
    check_format(Path(f"figure.{extension}") if everything else out)
    found = read_results(folders) if folders else Results(None, ())
    if dataset is not None:
        found = found.select_datasets(dataset)
    choices = figures.Choices(
        measure=measure,
        loss=loss,  # type: ignore[arg-type]
        rule=rule,  # type: ignore[arg-type]
        references=tuple(reference),
        cases=tuple(case),
        stores=tuple(llmseg.Hdf5Store(path) for path in data),
    )
    if not everything:
        path = save(figures.draw(kind, found, choices), out)
        print_result({"written": [str(path)]} if as_json else str(path), as_json)
        return
    files, left_out = figures.draw_all(found, out, choices, extension=extension)
    told = [*map(str, files), *(f"left out {name}: {why}" for name, why in left_out.items())]
    print_result({"written": [*map(str, files)], "left_out": left_out} if as_json else "\n".join(told), as_json)


def _kind(names: list[str], everything: bool) -> tuple[str, list[str]]:
    """Tell the kind from the folders."""
    from llmseg.figures.kinds import KINDS, check_kind

    if everything:
        return "", names
    if not names:
        raise UserError(f"name a figure, or --all; there are {', '.join(KINDS)}")
    kind, *folders = names
    check_kind(kind)
    if not folders and kind != "errors":
        raise UserError(f"llmseg figure {kind} needs folders: what llmseg compare, train or evaluate wrote")
    return kind, folders


def _table(kinds: dict[str, str]) -> str:
    return "\n".join(f"{name:20} {says}" for name, says in kinds.items())
