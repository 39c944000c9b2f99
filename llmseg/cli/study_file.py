"""The commands about study files: llmseg study plan, llmseg study run."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg.cli import options as option
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.study import describe_gains, describe_means
from llmseg.cli.text.plan import plan_text
from llmseg.cli.text.study import report_hint
from llmseg.study.contenders import NNUNET
from llmseg.study.options import Launch

File = Annotated[Path, typer.Argument(help="The study file, in TOML; docs/how-to/study-file.md has its keys.")]


@dataclass(frozen=True)
class LaunchOptions:
    """How the trainings of a study file are carried out."""

    device: option.Device = "auto"
    leave_out_failing: option.LeaveOutFailing = False
    retry: option.Retry = None

    @property
    def arguments(self) -> list[str]:
        """The options as they are typed."""
        return Launch(device=self.device, leave_out_failing=self.leave_out_failing, retry=self.retry or ()).arguments


@spread
def plan(
    file: File,
    output: OutputWithProgress,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the study, to see what is finished.")] = Path(),
    device: option.Device = "auto",
    max_hours: Annotated[
        float | None, typer.Option(help="Count what fits into these hours, a first seed of everything before a second.")
    ] = None,
) -> None:
    """List what a study file would train, with estimated hours and memory on this device; nothing is trained.

    Example: llmseg study plan brain.toml
    """
    load = llmseg.training.describe_load()  # before this command adds to it
    cells = llmseg.study.plan_study_file(file, out, device=device, progress=output.progress)
    if load:
        print(f"llmseg: {load}", file=sys.stderr)
    chosen = None if max_hours is None else llmseg.study.choose_cells(cells, max_hours)
    if output.as_json:
        output.print((cells if chosen is None else chosen).to_dict("records"))
    else:
        output.print(plan_text(cells, chosen, max_hours))


@spread
def run(
    file: File,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the study.")],
    launch: LaunchOptions,
    output: OutputWithProgress,
    max_hours: Annotated[
        float | None, typer.Option(help="Begin only trainings that end in these hours, by the estimate of the plan.")
    ] = None,
) -> None:
    """Train and score all that a study file says; the same command again continues.

    Several may run at once, also on several computers that share the folder: each takes cells that no other works on.
    With --max-hours, a first seed of everything comes before a second, and the cheapest first.

    Example: llmseg study run brain.toml -o studies/brain
    """
    grid = llmseg.study.read_study_file(file)
    with_nnunet = NNUNET in grid.pipelines
    if with_nnunet:
        llmseg.nnunet.check_installed()
    studies = llmseg.study.run_study_file(
        grid,
        out,
        device=launch.device,
        leave_out_failing=launch.leave_out_failing,
        retry=launch.retry or (),
        max_hours=max_hours,
        progress=output.progress,
    )
    if max_hours is not None:
        print(_describe_rest(file, out, launch, max_hours, with_nnunet=with_nnunet), file=sys.stderr)
    elif with_nnunet:
        llmseg.nnunet.run_beside_studies(studies, device=launch.device, progress=output.progress)
    if output.as_json:
        named = [(study.record["store"]["name"], study) for study in studies]
        output.print([{"dataset": name, **row} for name, study in named for row in study.means().to_dict("records")])
        return
    for study in studies:
        if not study.record["label"]:
            output.print(describe_means(study) + "\n")
        elif len(study.variants) > 1 and study.variants[0] == next(iter(study.record["variants"])):
            output.print(describe_gains(study))
    if studies:
        output.print(report_hint(out, grid.measures))


def _describe_rest(file: Path, out: Path, launch: LaunchOptions, hours: float, *, with_nnunet: bool) -> str:
    """Return what is left when the hours of a command are over, and the command that goes on."""
    states = llmseg.study.read_study_status(out)
    total, finished = sum(state.cells for state in states), sum(state.finished for state in states)
    command = ["llmseg", "study", "run", str(file), "--out", str(out), *launch.arguments]
    if finished == total:
        after = f"; nnU-Net is trained by: {shlex.join(command)}" if with_nnunet else ""
        return f"llmseg: all {total} cells are finished{after}"
    return (
        f"llmseg: {total - finished} of {total} cells are left, for no other fits into {hours:g} h; go on with: "
        f"{shlex.join([*command, '--max-hours', f'{hours:g}'])}"
    )
