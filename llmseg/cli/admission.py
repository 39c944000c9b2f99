"""The command llmseg admit: how far scripts of a new language model run, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg.cli.output import OutputWithProgress, print_line
from llmseg.cli.spread import spread
from llmseg.cli.text.admission import describe_admission
from llmseg.files import clean_name


@spread
def admit(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folder of the scripts; of successive answers, the last.")
    ],
    output: OutputWithProgress,
    name: Annotated[str | None, typer.Option(help="What the pipeline is called; by default as its folder.")] = None,
    chat: Annotated[
        Path | None, typer.Option(help="The chat as a text file, whose errors are counted as repairs.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where everything is kept; admissions/NAME by default.")
    ] = None,
    probes: Annotated[
        bool, typer.Option("--probes/--no-probes", help="Run the scripts again on changed cases.")
    ] = True,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print what to tell the language model, a paragraph each.")
    ] = False,
    minutes: Annotated[float, typer.Option(help="The longest that one run may take.", min=0.1, max=10080)] = 10,
    sandbox: Annotated[
        str | None, typer.Option(help="The sandbox by its name; by default the best one of this computer.")
    ] = None,
) -> None:
    """Admit a new language model: how far its scripts run, what broke, and what is silently wrong.

    The scripts run in a sandbox, on a few cases of ours. Exit code 1 means that a stage was not reached or a mistake
    was found. The same command goes on where an earlier one was ended.

    Example: llmseg admit answers/my-llm -o admissions/my-llm
    """
    called = name if name is not None else clean_name(folders[-1].resolve().name, also="-_.")
    admission = llmseg.admission.admit(
        folders,
        out if out is not None else Path("admissions", called),
        name=called,
        chat=chat,
        minutes=minutes,
        probes=probes,
        rung=sandbox,
        tell=print_line if output.progress else lambda said: None,
    )
    sheet = llmseg.admission.write_repair_sheet(admission)
    if explain:
        llmseg.files.write_text(admission.out / "repair-sheet.md", sheet)
    if output.as_json:
        output.print({**admission.to_dict(), **({"repair_sheet": sheet} if explain else {})})
    else:
        output.print(sheet.rstrip("\n") if explain else describe_admission(admission))
    if not admission.is_sound:
        raise typer.Exit(1)
