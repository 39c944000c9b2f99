"""``llmseg train --log tensorboard``: an observer that logs losses, scores and rates for TensorBoard.

The file is written record by record with TensorBoard's own writer and messages. ``SummaryWriter`` of torch would put
the name of the computer into the name of the file, which is published with the run, and loads TensorFlow where that
is installed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llmseg.errors import UserError
from llmseg.files import make_folder
from llmseg.training.events import Beginning, End, Epoch, EvaluatedBatch, ObservedEvent, Step

FOLDER = "tensorboard"
_PAUSE = 10.0
"""Seconds after which the losses of the steps are written. To read them waits for a GPU, so it is not done at every
step."""


class TensorBoardLog:
    """Logs a training into the folder ``tensorboard`` of its run: ``tensorboard --logdir runs`` shows it.

    The horizontal axis counts steps. ``loss/step`` has a value per step; ``loss/train``, ``loss/validation``,
    ``score/validation`` and ``rate``, the learning rate of the next epoch, one per epoch; ``score/test`` one at the
    end. Scores are means of the recipe's own score.

    A run that is continued goes on in a further file. It tells TensorBoard to forget the steps after the checkpoint,
    which come again. If a process on a GPU is killed, the losses of the steps of its last ten seconds may be missing.

    Attributes:
        folder: Where it logs; ``None`` before a training began.

    Raises:
        UserError: The package tensorboard is not installed.

    Example:
        >>> from llmseg import SyntheticStore, train
        >>> train("gpt-4", SyntheticStore("fundus"), "runs/gpt-4", observers=[TensorBoardLog()])  # doctest: +SKIP
    """

    def __init__(self) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise UserError(
                "a log for TensorBoard needs the package tensorboard: pip install 'llmseg[tracking]'; without it, "
                "history.csv has losses and scores of every epoch"
            ) from error
        self._messages, self._summaries, self._open = event_pb2, summary_pb2, RecordWriter
        self.folder: Path | None = None
        self._file: Any = None
        self._steps_per_epoch = 1
        self._last_step = 0
        self._steps: list[tuple[int, float, Tensor]] = []
        self._written = time.monotonic()
        self._test: list[Tensor] = []

    def on_event(self, event: ObservedEvent) -> None:
        """Log what an event brings."""
        if isinstance(event, Beginning):
            self._begin(event)
        elif isinstance(event, Step):
            self._steps.append((event.index + 1, time.time(), event.loss))
            if event.loss.device.type == "cpu" or time.monotonic() - self._written > _PAUSE:
                self._write_steps()
        elif isinstance(event, Epoch):
            self._write_epoch(event)
        elif isinstance(event, EvaluatedBatch) and event.phase == "test":
            self._test.append(event.cases)
        elif isinstance(event, End):
            self._end(event)

    def _begin(self, beginning: Beginning) -> None:
        self.folder = folder = beginning.folder / FOLDER
        make_folder(folder)
        self._steps_per_epoch, self._last_step = beginning.steps_per_epoch, beginning.steps
        self._file = self._open(_name_file(folder).open("xb"))
        # TensorBoard reads the files in the order of their names. The version makes it obey the start of a session: it
        # forgets what it read of this step and those after it.
        self._write(file_version="brain.Event:2")
        start = self._messages.SessionLog(status=self._messages.SessionLog.START)
        self._write(step=beginning.step + 1, session_log=start)

    def _write_epoch(self, epoch: Epoch) -> None:
        self._write_steps()
        values = {
            "loss/train": epoch.train_loss,
            "loss/validation": epoch.validation_loss,
            "score/validation": sum(epoch.listed) / len(epoch.listed),
            "rate": epoch.rate,
        }
        for name, value in values.items():
            self._write_value(name, value, (epoch.index + 1) * self._steps_per_epoch, time.time())

    def _end(self, end: End) -> None:
        self._write_steps()
        if self._test and end.outcome == "done":
            self._write_value("score/test", float(torch.cat(self._test).mean()), self._last_step, time.time())
        self._file.close()

    def _write_steps(self) -> None:
        """Write the losses of the steps since the last time; on a GPU, wait for them once."""
        if self._steps:
            losses = torch.stack([loss for _, _, loss in self._steps]).tolist()
            for (step, moment, _), loss in zip(self._steps, losses, strict=True):
                self._write_value("loss/step", loss, step, moment)
        self._steps, self._written = [], time.monotonic()

    def _write_value(self, name: str, value: float, step: int, moment: float) -> None:
        summary = self._summaries.Summary(value=[self._summaries.Summary.Value(tag=name, simple_value=value)])
        self._write(step=step, summary=summary, wall_time=moment)

    def _write(self, **content: Any) -> None:
        event = self._messages.Event(**{"wall_time": time.time(), **content})
        self._file.write(event.SerializeToString())
        # What a process that is killed has not passed on to the system is lost.
        self._file.flush()


def _name_file(folder: Path) -> Path:
    """Return the next file of a log; TensorBoard knows it by the word in its name."""
    return folder / f"events.out.tfevents.{len(list(folder.iterdir())):010d}"
