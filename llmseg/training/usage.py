"""What a training takes besides time: energy, where the device tells it, and memory of a GPU."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

POWERCAP = Path("/sys/class/powercap")
"""Where Linux has the energy counters of processors (RAPL). On most systems only root may read them."""

_PAUSE = 10.0
"""Seconds between two looks at the counters. That of a processor starts again from 0 after half an hour or so."""


@dataclass(frozen=True)
class Counter:
    """A counter of energy that only grows, until it starts again from 0.

    Attributes:
        read: Returns its value in joules.
        limit: Value in joules at which it starts again; ``None`` if it does not.
    """

    read: Callable[[], float]
    limit: float | None = None


class Usage:
    """Adds up what the device of a training takes, from the moment on when it is made.

    The energy is that of the whole GPU or, for the CPU, of all processors, whoever else computes there.

    Attributes:
        joules: Energy so far; ``None`` if the device does not tell.
        memory_gb: Largest memory of a GPU that tensors had so far, in gigabytes; ``None`` for the CPU.

    Example:
        >>> values = iter([90.0, 5.0])
        >>> usage = Usage(torch.device("cpu"), [Counter(lambda: next(values), limit=100.0)])
        >>> usage.look(again=True)
        >>> usage.to_dict()
        {'joules': 15.0}
    """

    def __init__(self, device: torch.device, counters: Sequence[Counter] | None = None) -> None:
        self._device = device
        self._counters = find_counters(device) if counters is None else counters
        self._values = [counter.read() for counter in self._counters]
        self._looked = time.monotonic()
        self.joules: float | None = 0.0 if self._counters else None
        self.memory_gb: float | None = None
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.memory_gb = 0.0

    def look(self, *, again: bool = False) -> None:
        """Add what the counters have moved since the last look.

        Args:
            again: Look even if the last look was a moment ago.
        """
        if not again and time.monotonic() - self._looked < _PAUSE:
            return
        self._looked = time.monotonic()
        for index, counter in enumerate(self._counters):
            try:
                value = counter.read()
            except OSError:
                self.joules, self._counters = None, ()
                break
            moved = value - self._values[index]
            self._values[index] = value
            if self.joules is not None:
                self.joules += moved if moved >= 0 or counter.limit is None else moved + counter.limit
        if self.memory_gb is not None:
            self.memory_gb = max(self.memory_gb, torch.cuda.max_memory_allocated(self._device) / 1e9)

    def to_dict(self) -> dict[str, float]:
        """Return what is known, for ``run.json`` and for checkpoints."""
        known = {"joules": self.joules, "memory_gb": self.memory_gb}
        return {name: round(value, 3) for name, value in known.items() if value is not None}

    def restore(self, earlier: dict[str, Any]) -> None:
        """Add what the training took before it was interrupted; what is not known of a part is not known of all."""
        if self.joules is not None:
            self.joules = self.joules + earlier["joules"] if "joules" in earlier else None
        if self.memory_gb is not None:
            self.memory_gb = max(self.memory_gb, earlier.get("memory_gb", 0.0))


def find_counters(device: torch.device) -> list[Counter]:
    """Return the energy counters of a device; none if it has none that this process may read."""
    return _find_gpu_counter(device) if device.type == "cuda" else _find_processor_counters()


def _find_processor_counters() -> list[Counter]:
    counters = []
    for folder in sorted(POWERCAP.glob("intel-rapl:*")):
        if folder.name.count(":") > 1:  # a part of a processor, which is in the counter of the whole
            continue
        with suppress(OSError, ValueError):
            read = functools.partial(_read_microjoules, folder / "energy_uj")
            counter = Counter(read, _read_microjoules(folder / "max_energy_range_uj"))
            counter.read()
            counters.append(counter)
    return counters


def _read_microjoules(path: Path) -> float:
    return int(path.read_text()) / 1e6


def _find_gpu_counter(device: torch.device) -> list[Counter]:
    """Return the counter of a GPU, if the package nvidia-ml-py is installed and the GPU has one (Volta and later)."""
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        # By its id, for CUDA_VISIBLE_DEVICES gives GPUs other numbers.
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except (pynvml.NVMLError, AttributeError):
        return []

    def read() -> float:
        try:
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3  # from millijoules
        except pynvml.NVMLError as error:
            raise OSError(str(error)) from error

    return [Counter(read)]
