"""Studies on a cluster: a batch script that lets SLURM start the launchers of a study file, and its submission."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

from llmseg.errors import UserError, shorten_list
from llmseg.files import as_list, check_text, clean_name, make_folder, write_text
from llmseg.study.contenders import NNUNET
from llmseg.study.design import Design, check_designs
from llmseg.study.file.designs import make_designs
from llmseg.study.file.study_file import StudyFile, read_study_file
from llmseg.study.grid import refuse_unfit
from llmseg.study.launching.cells import list_finished
from llmseg.study.options import Launch
from llmseg.training.device import check_device

_NOTICE = 120
"""Seconds before its time is up in which a launcher gives its cell back."""

_SHORTEST = 600
"""Seconds that a launcher must have: it needs a while to begin, and SLURM may send its notice a minute early."""

_FORMATS = "minutes, HOURS:MINUTES:SECONDS or DAYS-HOURS, such as 4:00:00"

_SCRIPT = """\
#!/bin/bash
# Launchers of a study. Each trains cells that no other works on, until none is left.
# llmseg study submit wrote this file. It is yours to change; submit it again by: sbatch FILE
{directives}
{before}
# SLURM sends USR1 {notice} seconds before the time is up. The launcher then gives its cell back with a checkpoint, and
# this job goes back into the queue. TERM comes when somebody cancels the job; then it does not go back.
again=
trap 'again=yes; kill -TERM "$launcher"' USR1
trap 'kill -TERM "$launcher"' TERM

{command} &
launcher=$!
wait "$launcher"; code=$?
# A signal ends a wait before the launcher has ended.
while kill -0 "$launcher" 2> /dev/null; do wait "$launcher"; code=$?; done
# Above 128, a signal has ended the launcher; 0 says that no cell is left, and 2 that something has to be mended.
# SLURM_JOB_ID would not do: one element of the array has the number of the whole, and would requeue all.
if [ "$again" ] && [ "$code" -gt 128 ]; then scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"; fi
exit "$code"
"""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """What SLURM gives each launcher. Texts are as ``sbatch`` takes them; ``None`` leaves it to the cluster.

    Attributes:
        time: The longest time that it runs before it goes back into the queue, such as ``4:00:00`` or ``1-12``; at
            least ten minutes.
        partition: Where it runs; several with commas.
        account: Who pays.
        qos: The quality of service.
        gpus: Its GPU, as ``1`` or ``TYPE:1``; ``None`` for none. A launcher uses one.
        cpus: Number of its processor cores.
        memory: Its main memory, such as ``16G``.

    Example:
        >>> Allocation(time="4:00:00", partition="gpu", gpus="1").seconds
        14400
        >>> Allocation(time="4h")
        Traceback (most recent call last):
        llmseg.errors.UserError: time 4h: give minutes, HOURS:MINUTES:SECONDS or DAYS-HOURS, such as 4:00:00
    """

    time: str
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    gpus: str | None = None
    cpus: int | None = None
    memory: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # A space would end the option in the script, and SLURM would take the rest for something else.
            if value is not None and not re.fullmatch(r"[\w.:,@+/=-]+", str(value)):
                raise UserError(f"{field.name} '{value}': it must be a word, as sbatch takes it")
        if self.seconds < _SHORTEST:
            raise UserError(
                f"time {self.time} is {self.seconds} seconds; a launcher needs ten minutes or more. Give {_FORMATS}"
            )
        if self.cpus is not None and self.cpus < 1:
            raise UserError(f"cpus is {self.cpus}; it must be 1 or more")
        count = (self.gpus or "1").rpartition(":")[2]
        if count != "1":
            more = f"; for {count} of them give --jobs {count}" if count.isdecimal() and int(count) > 1 else ""
            raise UserError(f"gpus {self.gpus}: a launcher uses one GPU, written 1 or TYPE:1{more}")

    @property
    def seconds(self) -> int:
        """The time in seconds.

        Raises:
            UserError: SLURM would not understand it.
        """
        if not re.fullmatch(r"([0-9]+-)?[0-9]+(:[0-9]+){0,2}", self.time):
            raise UserError(f"time {self.time}: give {_FORMATS}")
        days, dash, rest = self.time.rpartition("-")
        numbers = [int(number) for number in rest.split(":")]
        # After days, hours come first; without days, a single number is minutes, and of two the second is seconds.
        units = (3600, 60, 1) if dash or len(numbers) == 3 else (60, 1)
        return int(days or 0) * 86_400 + sum(number * unit for number, unit in zip(numbers, units, strict=False))

    @property
    def directives(self) -> Iterator[str]:
        """The options of ``sbatch`` that ask for it."""
        names = {"cpus": "cpus-per-task", "memory": "mem"}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield f"{names.get(field.name, field.name)}={value}"


@dataclass(frozen=True)
class Submission:
    """Launchers that wait for their start in the queue of a cluster.

    Attributes:
        script: The batch script.
        jobs: Number of launchers.
        id: SLURM's number of them; ``None`` if the script was only written.
    """

    script: Path
    jobs: int
    id: str | None


def submit_study_file(
    file: str | Path,
    out: str | Path,
    allocation: Allocation,
    *,
    jobs: int = 1,
    before: str | Sequence[str] = (),
    script: str | Path | None = None,
    only_write: bool = False,
    device: str = "auto",
    leave_out_failing: bool = False,
    retry: str | Collection[str] = (),
    imports: Sequence[str | Path] = (),
    progress: bool = True,
) -> Submission:
    """Write a batch script whose jobs are launchers of a study file, and submit it to SLURM.

    Every launcher runs ``llmseg study run``. The first begins the study, and all take cells until none is left. What
    could be wrong with the study is looked for before.

    Args:
        file: The study file.
        out: Folder of the study. All nodes of the cluster must see it under this name.
        allocation: What each launcher gets.
        jobs: Number of launchers. The cluster decides how many of them run at the same time.
        before: Lines of bash that come first, such as ``module load cuda``.
        script: Where the script is written; in ``out`` under a name that is free, if ``None``.
        only_write: Whether nothing is submitted.
        device: As for :func:`llmseg.train`.
        leave_out_failing: As for :func:`llmseg.run_study`.
        retry: As for :func:`llmseg.run_study`.
        imports: Python files with pipelines or parts of your own.
        progress: Whether to show progress bars.

    Raises:
        UserError: The study could not be run or has fewer open cells than ``jobs``, the script is there with other
            content, this computer has no ``sbatch``, or ``sbatch`` refuses the script. Nothing is left behind.

    Example:
        >>> night = Allocation(time="12:00:00", partition="gpu", gpus="1")
        >>> submit_study_file("study.toml", "main", night, jobs=4)  # doctest: +SKIP
        Submission(script=PosixPath('main/launchers.sbatch'), jobs=4, id='1234')
    """
    file, out = Path(file), Path(out)
    grid = read_study_file(file)
    check_device(device)
    launch = Launch(device=device, leave_out_failing=leave_out_failing, retry=retry, progress=progress)
    designs = make_designs(grid, out, progress=progress)
    refuse_unfit(designs, check_designs(designs, progress=progress), launch)
    _check_jobs(jobs, designs, grid, out)
    text = _render(file, out, allocation, jobs, as_list(before), launch, imports)
    if not only_write and shutil.which("sbatch") is None:
        raise UserError("this computer has no sbatch; call it where you submit jobs, or write the script by --print")
    path = _free_path(out, text) if script is None else Path(script)
    new = [place for place in (path, path.parent, out) if not place.exists()]
    try:
        _write_script(path, text)
        make_folder(out)  # SLURM does not start a job whose log it cannot write
        return Submission(path, jobs, None if only_write else _call_sbatch(path))
    except UserError:
        for place in new:
            with suppress(OSError):  # of several folders that were made, the last
                place.rmdir() if place.is_dir() else place.unlink()
        raise


def _check_jobs(jobs: int, designs: Sequence[Design], grid: StudyFile, out: Path) -> None:
    if jobs < 1:
        raise UserError(f"jobs is {jobs}; it must be 1 or more")
    cells = [cell for design in designs for variant in design.variants for cell in design.cells(variant)]
    left = len(cells) - len(list_finished(cells))
    if not left and NNUNET not in grid.pipelines:
        raise UserError(f"all {len(cells)} cells of {out} are finished; next: llmseg report {out} -o {out}-report")
    if jobs > max(left, 1):
        raise UserError(f"{jobs} jobs, but {out} has {left} cells left; give --jobs {max(left, 1)} or fewer")


def _render(
    file: Path,
    out: Path,
    allocation: Allocation,
    jobs: int,
    before: Sequence[str],
    launch: Launch,
    imports: Sequence[str | Path],
) -> str:
    """Return the text of a batch script."""
    for path in (file, out):
        check_text("path", str(path.absolute()))
    directives = (
        f"job-name=llmseg-{clean_name(out.absolute().name, also='-_.')}",
        *allocation.directives,
        f"array=1-{jobs}",
        *("nodes=1", "ntasks=1", "requeue", "open-mode=append", f"signal=B:USR1@{_NOTICE}"),
        f"output={_quote_log(out.absolute())}",
    )
    files = [word for path in imports for word in ("--import", str(Path(path).absolute()))]
    study = ["study", "run", str(file.absolute()), "--out", str(out.absolute())]
    return _SCRIPT.format(
        directives="".join(f"#SBATCH --{directive}\n" for directive in directives),
        before="".join(f"{line}\n" for line in before),
        notice=_NOTICE,
        command=shlex.join([sys.executable, "-m", "llmseg", *files, *study, *launch.arguments, "--quiet"]),
    )


def _quote_log(out: Path) -> str:
    """Return where launchers write what they say; SLURM puts the numbers of the jobs in."""
    return shlex.quote(f"{str(out).replace('%', '%%')}/slurm-%A_%a.log")


def _free_path(out: Path, text: str) -> Path:
    """Return where a script can be written in the folder of the study: no script that is there is replaced."""
    path, number = out / "launchers.sbatch", 1
    while path.exists() and not _holds(path, text):
        number += 1
        path = out / f"launchers-{number}.sbatch"
    return path


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _write_script(path: Path, text: str) -> None:
    """Write a script, unless it is there."""
    if path.exists() and not _holds(path, text):
        raise UserError(f"{path} is there with other content, which is kept; choose another --script")
    if not path.exists():
        make_folder(path.parent)
        write_text(path, text)


def _call_sbatch(script: Path) -> str:
    """Submit a script; return SLURM's number of the jobs."""
    called = subprocess.run(["sbatch", "--parsable", str(script)], capture_output=True, text=True)
    if called.returncode:
        words = [line.removeprefix("sbatch: ").removeprefix("error: ") for line in called.stderr.splitlines()]
        raise UserError(f"sbatch refuses it: {shorten_list(words) or called.returncode}; nothing is submitted")
    # The name of the cluster follows where there are several.
    return called.stdout.strip().partition(";")[0]
