"""The commands that collect results of studies: llmseg study collect, llmseg study merge."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

import llmseg
from llmseg import UserError
from llmseg.cli.output import Output
from llmseg.cli.spread import spread
from llmseg.stats.words import count_text

Folders = Annotated[list[Path], typer.Argument(help="Studies, folders that hold studies, and collected studies.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder; what it holds stays, and what is new is added.")]


@spread
def collect(folders: Folders, out: Out, output: Output) -> None:
    """Write the finished cells of studies as tables: scores, losses and facts, without weights and images.

    llmseg report, figure and status read the folder as they read a study. The same command later adds what is new.

    Example: llmseg study collect studies -o collected
    """
    _print(llmseg.study.collect_studies(folders, out), out, output)


@spread
def merge(
    folders: Folders,
    out: Out,
    output: Output,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Keep cells with this value: field=value, such as device=a1b2c3; repeatable."),
    ] = None,
    prefer: Annotated[
        Path | None,
        typer.Option(help="One of the folders: its cells are kept where another has the same contender and seed."),
    ] = None,
) -> None:
    """Merge results of several computers and sittings, by their digests; order and repetition do not matter.

    Example: llmseg study merge collected -o merged
    """
    merged = llmseg.study.merge_studies(folders, out, only=_parse(only or []), prefer=prefer)
    _print(merged, out, output)


def _parse(texts: list[str]) -> dict[str, list[str]]:
    """Read fields and values as they are typed; several values of one field are allowed ones."""
    wanted: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--only '{text}' names no value; write FIELD=VALUE, for example --only seed=0")
        wanted.setdefault(name, []).append(value)
    return wanted


def _print(collected: llmseg.study.Collected, out: Path, output: Output) -> None:
    cells = Counter(cell.dataset for cell in collected.cells)
    if output.as_json:
        facts: dict[str, Any] = {"folder": str(out), "cells": dict(cells)}
        output.print(facts)
    else:
        lines = [f"{dataset}: {count_text(count, 'cell')}" for dataset, count in cells.items()]
        output.print("\n".join([*lines, f"written to {out}; a report of it: llmseg report {out} -o REPORT"]))
