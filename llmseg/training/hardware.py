"""The machine, as ``run.json`` and the results of benchmarks describe it."""

from __future__ import annotations

import os
import platform
from typing import Any

import psutil
import torch


def hardware() -> dict[str, Any]:
    """Return what results and timings depend on: system, processor, threads and GPUs.

    It names no host and no user, because records are published. ``cpu_capability`` is the instruction set that torch
    uses, such as AVX512: results are the same to the last bit only on machines where it is the same.

    Example:
        >>> sorted(hardware())
        ['cores', 'cpu_capability', 'gpus', 'machine', 'system', 'threads']
    """
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def describe_load() -> str | None:
    """Return a sentence if other programs keep this computer's processors busy, so that timings are too long.

    Example:
        >>> print(describe_load())  # doctest: +SKIP
        None
    """
    cores, load = os.cpu_count() or 1, psutil.getloadavg()[0]
    if load < 0.5 * cores:
        return None
    return (
        f"other programs use this computer (load {load:.1f}, {cores} processors): estimated seconds are too long by as "
        "much as they take; estimate again when it is idle"
    )
