"""The commands about studies that are being worked on: llmseg status, llmseg study work."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg.cli import collecting, study_file, submit
from llmseg.cli import options as option
from llmseg.cli.help import Command, Group
from llmseg.cli.output import Output, OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.status import status_text

study_app = typer.Typer(cls=Group, name="study", help="Plan and run studies that files describe.", no_args_is_help=True)
study_app.command("plan", cls=Command)(study_file.plan)
study_app.command("run", cls=Command)(study_file.run)
study_app.command("submit", cls=Command)(submit.submit)
study_app.command("collect", cls=Command)(collecting.collect)
study_app.command("merge", cls=Command)(collecting.merge)

_PAUSE = 2.0
"""Seconds between two looks of ``--watch``."""

Folder = Annotated[Path, typer.Argument(help="A study, or a folder that holds studies.")]


@spread
def status(
    folder: Folder,
    output: Output,
    watch: Annotated[bool, typer.Option("--watch", help="Print it again and again, until no cell is left.")] = False,
) -> None:
    """Say how far studies are: cells finished, running and where, failed and why, and the time left.

    It reads names of files only, and works while others write.

    Example: llmseg status studies/two
    """
    while _print_status(folder, output, clear=watch and sys.stdout.isatty()) and watch:
        time.sleep(_PAUSE)


def _print_status(folder: Path, output: Output, *, clear: bool = False) -> bool:
    """Print the state of studies; return whether cells are left."""
    studies = llmseg.study.read_study_status(folder)
    if clear:
        print("\x1b[H\x1b[J", end="")
    facts = [{**asdict(study), "folder": str(study.folder)} for study in studies]
    output.print(facts if output.as_json else status_text(studies))
    sys.stdout.flush()
    return any(study.finished < study.cells for study in studies)


@study_app.command("work", cls=Command)
@spread
def work(
    folder: Folder, output: OutputWithProgress, device: option.Device = "auto", retry: option.Retry = None
) -> None:
    """Help to train studies that another command began, until no cell is left; start it as often as there are devices.

    A variant that fails is noted and keeps nobody from the others. The command that began a study prints its tables.

    Example: llmseg study work studies/two
    """
    llmseg.study.work_on_studies(folder, device=device, retry=retry or (), progress=output.progress)
    _print_status(folder, output)
