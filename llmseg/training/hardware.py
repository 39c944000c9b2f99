"""The machine, as ``run.json`` and the results of benchmarks describe it."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch


def hardware() -> dict[str, Any]:
    """Return what results and timings depend on: system, processor, threads and GPUs.

    It names no host and no user, because records are published. ``cpu_capability`` is the instruction set that torch
    uses, such as AVX512: results are the same to the last bit only on machines where it is the same.
    """
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }
