"""``llmseg train --profile``: an observer that records some steps and writes a page about them into the run folder."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import torch

from llmseg.files import make_folder, write_bytes, write_text
from llmseg.training.events import Beginning, End, Epoch, ObservedEvent, Step
from llmseg.training.observing.page import write_page
from llmseg.training.observing.profile import Profile, Recording

WARM_UP = 5
"""Steps before the first that is recorded, if there are so many: kernels are chosen and memory is taken in them."""

FOLDER = "profile"
TRACE, PAGE = "trace.json.gz", "summary.md"


class Profiler:
    """Records training steps and writes what their time went to into the folder ``profile`` of the run.

    ``trace.json.gz`` is the trace, ``summary.md`` a page about it. The steps follow each other in one epoch, so there
    are fewer if an epoch has fewer. Validation and test are not recorded. A run that is continued writes both anew.

    Args:
        steps: Number of steps to record.

    Attributes:
        page: The page that was written; ``None`` if none was.
        reason: Why none was written, where no error says it.

    Example:
        >>> from llmseg import SyntheticStore, train
        >>> train("gpt-4", SyntheticStore("fundus"), "runs/gpt-4", observers=[Profiler()])  # doctest: +SKIP
    """

    def __init__(self, steps: int = 20) -> None:
        self.page: Path | None = None
        self.reason = "the run was finished before, and nothing was trained"
        self._wanted, self._window = steps, range(0)
        self._beginning: Beginning | None = None
        self._recording: Recording | None = None
        self._started = False

    def on_event(self, event: ObservedEvent) -> None:
        """Start to record, or end it, when it is time."""
        if isinstance(event, Beginning):
            self._begin(event)
        elif isinstance(event, Step):
            self._pass(event.index + 1, between_epochs=False)
        elif isinstance(event, Epoch) and self._beginning is not None:
            self._pass((event.index + 1) * self._beginning.steps_per_epoch, between_epochs=True)
        elif isinstance(event, End) and self._recording is not None:
            self._recording.abandon()
            self._recording = None
            self.reason = "the training ended before the steps to record were over; the same command records again"

    def _begin(self, beginning: Beginning) -> None:
        self._beginning = beginning
        per_epoch = beginning.steps_per_epoch
        self._window = choose_steps(beginning.step, beginning.steps, per_epoch, self._wanted)
        self.reason = "it records from the second step on, and the training has no second step left"
        if self._window:
            self.reason = ""
            self._recording = Recording(torch.device(beginning.record["how"]["device"]))
            self._pass(beginning.step, between_epochs=False)

    def _pass(self, done: int, *, between_epochs: bool) -> None:
        """Do what has to be done when so many steps are taken."""
        recording, window = self._recording, self._window
        if recording is None or self._beginning is None:
            return
        # After the last step of an epoch comes its validation, which is not to be recorded.
        begins_epoch = window.start % self._beginning.steps_per_epoch == 0
        if done == window.start - 1 and not between_epochs:
            recording.warm_up()
        elif done == window.start and begins_epoch == between_epochs:
            recording.start()
            self._started = True
        elif done == window.stop and self._started:
            self._recording = None
            self._write(recording.stop(steps=len(window)))

    def _write(self, trace: dict[str, object]) -> None:
        assert self._beginning is not None
        folder = self._beginning.folder / FOLDER
        make_folder(folder)
        # The time in the header of a gzip file would make equal traces differ.
        write_bytes(folder / TRACE, gzip.compress(json.dumps(trace).encode(), mtime=0))
        write_text(folder / PAGE, write_page(Profile.of_trace(trace), self._beginning, self._window))
        self.page = folder / PAGE


def choose_steps(done: int, total: int, per_epoch: int, wanted: int) -> range:
    """Return the steps to record, counted from 0: one after the other within one epoch, and not the first.

    Args:
        done: Steps that are taken already.
        total: Steps of the training.
        per_epoch: Steps of an epoch.
        wanted: How many to record, if an epoch has so many.

    Example:
        >>> choose_steps(0, 400, 40, 20), choose_steps(30, 400, 40, 20), choose_steps(0, 3, 3, 20)
        (range(5, 25), range(40, 60), range(1, 3))
    """
    first = done + max(1, min(WARM_UP, (total - done) // 2))
    room = per_epoch - first % per_epoch
    if room < min(wanted, per_epoch) and first + room < total:
        first, room = first + room, per_epoch
    return range(first, min(first + min(wanted, room), total))
