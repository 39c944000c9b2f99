"""The command that lets a cluster run a study file: llmseg study submit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg.cli.output import OutputWithProgress, print_message
from llmseg.cli.spread import spread
from llmseg.cli.study_file import File, LaunchOptions
from llmseg.stats.words import count_text


@dataclass(frozen=True)
class AllocationOptions:
    """What each launcher gets; the fields are those of :class:`llmseg.study.Allocation`."""

    partition: Annotated[str | None, typer.Option(help="The partition; without it, the cluster's default.")] = None
    account: Annotated[str | None, typer.Option(help="The account that pays.")] = None
    qos: Annotated[str | None, typer.Option(help="The quality of service.")] = None
    gpus: Annotated[str | None, typer.Option(help="1 or TYPE:1 for a GPU; without it, none is asked for.")] = None
    cpus: Annotated[int | None, typer.Option(help="Processor cores of each launcher.", min=1)] = None
    memory: Annotated[str | None, typer.Option(help="Main memory of each launcher, such as 16G.")] = None


@spread
def submit(
    context: typer.Context,
    file: File,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the study, which all nodes see under this name.")],
    time: Annotated[
        str,
        typer.Option(help="Time of each launcher until it goes back into the queue: 4:00:00, or 1-12 for 36 hours."),
    ],
    allocation: AllocationOptions,
    launch: LaunchOptions,
    output: OutputWithProgress,
    jobs: Annotated[int, typer.Option(help="Number of launchers.", min=1)] = 1,
    before: Annotated[
        list[str] | None, typer.Option(help="A line of bash that comes first, such as 'module load cuda'; repeatable.")
    ] = None,
    script: Annotated[
        Path | None, typer.Option(help="Where to write the script; in the study's folder by default.")
    ] = None,
    only_write: Annotated[
        bool, typer.Option("--print", help="Write and print the script, and submit nothing.")
    ] = False,
) -> None:
    """Let SLURM run a study file: write a batch script whose jobs are launchers, and submit it.

    Each launcher takes cells until none is left. When its time is up it gives its cell back and goes into the queue
    again. Give the command again for more launchers.

    Example: llmseg study submit brain.toml -o studies/brain --time 4:00:00 --gpus 1
    """
    submission = llmseg.study.submit_study_file(
        file,
        out,
        llmseg.study.Allocation(time=time, **asdict(allocation)),
        jobs=jobs,
        before=before or (),
        script=script,
        only_write=only_write,
        imports=context.find_root().params.get("files") or (),  # of --import; the launchers need them, too
        device=launch.device,
        leave_out_failing=launch.leave_out_failing,
        retry=launch.retry or (),
        progress=output.progress,
    )
    if output.as_json:
        output.print({**asdict(submission), "script": str(submission.script)})
    elif submission.id is None:
        output.print(submission.script.read_text(encoding="utf-8").rstrip("\n"))
        print_message(f"written, and not submitted; submit it by: sbatch {submission.script}")
    else:
        output.print(_submitted_text(submission, time, out))


def _submitted_text(submission: llmseg.study.Submission, time: str, out: Path) -> str:
    launchers = count_text(submission.jobs, "launcher")
    return (
        f"submitted {launchers} as job {submission.id}, {time} each: {submission.script}\n"
        f"next: llmseg status {out} --watch\n"
        f"      scancel {submission.id}   # ends them; what is finished stays, and checkpoints do"
    )
