"""The options of llmseg train that let something watch the training, and what is said about it at the end."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.errors import nearest
from llmseg.files.notes import note

if TYPE_CHECKING:
    from llmseg.training import Observer

_LOGS = ("tensorboard",)


@dataclass(frozen=True)
class Watching:
    """What watches a training."""

    log: Annotated[
        str | None,
        typer.Option("--log", help="Log losses and scores for tensorboard, too; history.csv is always written."),
    ] = None
    profile: Annotated[
        bool, typer.Option("--profile", help="Record some steps, and write what their time goes to into OUT/profile.")
    ] = False

    def build_observers(self) -> list[Observer]:
        """Return the observers that are asked for.

        Raises:
            UserError: There is no such log, or it needs a package that is not installed.
        """
        if self.log is not None and self.log not in _LOGS:
            raise UserError(
                f"no log '{self.log}'{nearest(self.log, _LOGS)}; allowed: {', '.join(_LOGS)}; history.csv has losses "
                "and scores in any case, and llmseg.train(observers=...) takes a log of your own"
            )
        # Either loads torch. Without them nothing is loaded here, so that a mistyped name is told at once.
        logs: list[Observer] = [] if self.log is None else [llmseg.training.TensorBoardLog()]
        return [*logs, *([llmseg.training.Profiler()] if self.profile else [])]


def note_written(observers: Iterable[Observer]) -> None:
    """Say where each observer has written, or why it has not."""
    from llmseg.training import Profiler, TensorBoardLog

    for observer in observers:
        if isinstance(observer, TensorBoardLog):
            if observer.folder is None:
                note("note: nothing was logged: the run was finished before, and nothing was trained")
            else:
                note(f"note: to see the log: tensorboard --logdir {shlex.quote(str(observer.folder))}")
        elif isinstance(observer, Profiler):
            if observer.page is not None:
                note(f"note: {observer.page} says what the time of training steps goes to")
            elif observer.reason:
                note(f"note: no steps were recorded: {observer.reason}")
