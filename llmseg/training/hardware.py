"""The machine, as records of runs and of benchmarks describe it."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch


def hardware() -> dict[str, Any]:
    """Return what the results and timings of this machine depend on."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }
