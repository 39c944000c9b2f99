"""Recording some steps, and the page that says what their time went to."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llmseg.errors import UserError
from llmseg.files import read_bytes
from llmseg.training.observing.marks import STEPS
from llmseg.training.observing.trace import read_timeline

_KEPT = ("schemaVersion", "deviceProperties", "displayTimeUnit", "baseTimeNanoseconds", "traceEvents")
"""What is kept of a trace. The rest names the computer and the path of the file, and traces are published."""

_OWN = "llmseg"
"""Where a trace says what was recorded."""


class Recording:
    """Records what a device does by torch's profiler, from ``start`` to ``stop``.

    Args:
        device: The device that trains.

    Example:
        >>> recording = Recording(torch.device("cpu"))
        >>> recording.start()
        >>> images = torch.nn.functional.conv2d(torch.ones(1, 1, 64, 64), torch.ones(1, 1, 3, 3))
        >>> profile = Profile.of_trace(recording.stop(steps=1))
        >>> profile.device, profile.steps, profile.shares["convolution"] > 0
        ('cpu', 1, True)
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # torch's profiler writes notes about itself to stderr, and an error where there is no GPU; above every level
        # it has, it writes none. It reads this when it first starts.
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")
        activities = torch.profiler.ProfilerActivity
        chosen = [activities.CPU, activities.CUDA] if device.type == "cuda" else [activities.CPU]
        # The first step with a profiler takes longer than others, so it has one in which nothing is kept.
        schedule = torch.profiler.schedule(wait=0, warmup=1, active=2**31)
        self._profiler = torch.profiler.profile(activities=chosen, schedule=schedule)
        self._warm = False
        self._mark = ExitStack()

    def warm_up(self) -> None:
        """Prepare the device, a step before the recording begins."""
        self._profiler.start()
        self._warm = True

    def start(self) -> None:
        """Begin; what the device was told before is waited for."""
        if not self._warm:
            self.warm_up()
        self._profiler.step()
        self._wait()
        self._mark.enter_context(torch.profiler.record_function(STEPS))

    def stop(self, *, steps: int) -> dict[str, Any]:
        """End when the device has done what it was told; return the trace, without the name of the computer.

        Args:
            steps: The number of training steps since the start.
        """
        self._wait()
        self._mark.close()
        self._profiler.stop()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            self._profiler.export_chrome_trace(str(path))
            trace = json.loads(path.read_bytes())
        name = torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "cpu"
        return {key: trace[key] for key in _KEPT if key in trace} | {_OWN: {"device": name, "steps": steps}}

    def abandon(self) -> None:
        """End without a trace."""
        self._mark.close()
        if self._warm:
            self._profiler.stop()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


@dataclass(frozen=True)
class Profile:
    """What the time of some training steps went to.

    Attributes:
        device: What they were computed on: the name of a GPU, or ``cpu``.
        steps: Number of steps.
        seconds: How long they took, all together. The recording itself makes steps slower.
        shares: The share of every group in that time, together 1, see
            :func:`~llmseg.training.measure_shares`.
        names: The share of every operation, kernel and mark, the largest first.
    """

    device: str
    steps: int
    seconds: float
    shares: dict[str, float]
    names: dict[str, float]

    @classmethod
    def of_trace(cls, trace: Mapping[str, Any]) -> Profile:
        """Summarise a trace that :meth:`Recording.stop` gave.

        Raises:
            UserError: The trace was made by other means, or has no operations.
        """
        about = trace.get(_OWN, {})
        if not {"device", "steps"} <= set(about):
            raise UserError(
                "this trace does not say how many steps it has; take one that llmseg train --profile wrote, or "
                "llmseg.training.measure_shares"
            )
        timeline = read_timeline(trace)
        return cls(about["device"], about["steps"], timeline.seconds, timeline.shares, timeline.names)

    @classmethod
    def read(cls, path: str | Path) -> Profile:
        """Summarise a trace file that ``llmseg train --profile`` wrote.

        Raises:
            UserError: The file is not there, damaged, or no such trace.
        """
        try:
            trace = json.loads(gzip.decompress(read_bytes(Path(path))))
        except (OSError, EOFError, ValueError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{path} is no trace, or damaged; record it again by llmseg train --profile") from error
        return cls.of_trace(trace if isinstance(trace, dict) else {})
