"""Running a folder of scripts in the sandbox, without changing it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from llmseg.admission.hard_coded_paths import find_demanded_arguments, find_paths
from llmseg.admission.running.epochs import EpochsTold, tell_epochs
from llmseg.admission.running.files import copy_files
from llmseg.admission.running.layout import Layout, read_layout
from llmseg.admission.running.mapping import HOME, SCRIPTS, Mapped, plan_paths, prepare_places
from llmseg.admission.sandbox import Command, Frame, Limits, Outcome, Place, python_places, run_in_sandbox
from llmseg.admission.sandbox.outcome import read_exception
from llmseg.admission.scripts import check_parsed, read_scripts
from llmseg.admission.static import find_entry
from llmseg.errors import UserError

_CAUSE = "The above exception was the direct cause of the following exception:"

_ENVIRONMENT = {
    # More threads than one do not help with small networks, and make sums come out otherwise each time.
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True)
class ScriptRun:
    """What came of a folder of scripts that ran in the sandbox.

    Attributes:
        outcome: How it ended, and what is there.
        folder: What the scripts wrote, and the copy of them that ran.
        mapped: The paths that they ask for, and what they found there.
        epochs: The numbers of epochs that the copy was told.
        layout: How the cases were laid out.

    Example:
        >>> run = run_scripts("answers/my-llm", Path("cases"), Path("out"), epochs=1)  # doctest: +SKIP
        >>> print(run.outcome, run.place)  # doctest: +SKIP
    """

    outcome: Outcome
    folder: Path
    mapped: tuple[Mapped, ...]
    epochs: tuple[EpochsTold, ...] = ()
    layout: Layout = field(default_factory=Layout)

    @property
    def printed(self) -> str:
        """All that the scripts printed."""
        return self.outcome.output

    @property
    def exception(self) -> str | None:
        """The exception that ended them, such as ``"ValueError: no images"``; of a chain, the one that led to it."""
        return self._cause[0]

    @property
    def place(self) -> str:
        """Where in the scripts that was raised, as ``file:line``; empty if it was not."""
        frame = self._cause[1]
        return "" if frame is None else name_place(frame)

    @property
    def _cause(self) -> tuple[str | None, Frame | None]:
        if self.outcome.exception is not None and _CAUSE in self.printed:
            cause = read_exception(self.printed.rpartition(_CAUSE)[0], [SCRIPTS])
            if cause[0] is not None:
                return cause
        return self.outcome.exception, self.outcome.frame


def name_place(frame: Frame) -> str:
    """Return a place as ``file:line``, the file as a path in the folder of scripts.

    Example:
        >>> name_place(Frame("/admission/work/a/b/c/scripts/train.py", 8, "fit"))
        'train.py:8'
    """
    path = PurePosixPath(frame.file)
    inner = path.relative_to(SCRIPTS) if path.is_relative_to(SCRIPTS) else path
    return f"{inner}:{frame.line}"


def run_scripts(
    folder: str | Path,
    cases: Path,
    out: Path,
    *,
    epochs: int | None = None,
    environment: Mapping[str, str] | None = None,
    places: tuple[Place, ...] = (),
    limits: Limits | None = None,
    layout: Layout | None = None,
    makes_folders: bool = False,
    rung: str | None = None,
    start: Sequence[str] = (),
) -> ScriptRun:
    """Run a folder of scripts in the sandbox, as if its paths led to the cases. The folder itself is only read.

    Args:
        folder: The folder of the scripts.
        cases: A folder in which the image ``images/001.png`` has the mask ``masks/001_seg.png``. Scripts can only
            read it. They see it under the names that they ask for.
        out: Where what the scripts write stays; a folder that is empty or is not there.
        epochs: A number of epochs that a copy of the scripts is told; ``None`` for their own.
        environment: Variables for the scripts.
        places: What the scripts see besides, such as ``/admission/observer``.
        limits: How much they may use; ``None`` for the usual limits.
        layout: How cases are laid out; ``None`` for what the text of the scripts shows.
        makes_folders: Whether the folders for results that they name are there when they start.
        rung: The sandbox; ``None`` for the best one that this computer has.
        start: The file to start and its arguments, such as ``("train.py", "--fast")``; empty for what the text of the
            scripts shows. Without arguments, those that scripts demand are given.

    Raises:
        UserError: The scripts cannot be started at all, ``out`` holds something, or there is no such sandbox.

    Example:
        >>> from llmseg.admission import Phantoms, write_phantoms
        >>> write_phantoms(Path("cases"), Phantoms(20))  # doctest: +SKIP
        >>> run = run_scripts("answers/my-llm", Path("cases"), Path("out"), epochs=1)  # doctest: +SKIP
        >>> run.outcome.ended_by, run.outcome.results.weights  # doctest: +SKIP
    """
    scripts = read_scripts(folder)
    check_parsed(scripts)
    entry = find_entry(scripts, start)
    if not entry:
        raise UserError(f"{folder} has no main.py and no other single file to start; say which by --start")
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty; give another folder")
    layout = layout if layout is not None else read_layout(scripts)
    demanded = () if start[1:] else find_demanded_arguments(scripts)
    plan = plan_paths(find_paths(scripts), demanded, layout, epochs)
    texts, told = tell_epochs(scripts, epochs) if epochs is not None else ({}, ())
    with tempfile.TemporaryDirectory(prefix="llmseg-cases-") as laid_out:
        prepared = prepare_places(plan, layout, cases, Path(laid_out), out, makes_folders)
        root = out.joinpath(*SCRIPTS.parts[1:])
        shown = [path.relative_to(SCRIPTS) for path, _, _ in plan.shown if path.is_relative_to(SCRIPTS)]
        copy_files(scripts.folder, root, texts, shown)
        out.joinpath(*HOME.parts[1:]).mkdir(exist_ok=True)
        command = Command(
            (sys.executable, entry, *(start[1:] or plan.arguments)),
            SCRIPTS,
            (*prepared, *places, *python_places()),
            environment={**_ENVIRONMENT, "HOME": str(HOME), **(environment or {})},
            limits=limits or Limits(),
        )
        outcome = run_in_sandbox(command, rung)
    return ScriptRun(outcome, out, plan.mapped, told, layout)
