"""What a device can do at most, what a training step costs, and how much memory a piece of work takes."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from llmseg import Recipe

SIZES = (1024, 2048, 4096, 8192)
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
REPEATS = 10


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_peak(device: torch.device, dtype: torch.dtype, seconds: float) -> float:
    """Return the best rate of a product of two square matrices over some sizes, in TFLOP/s.

    TF32 stays off, so float32 is float32.

    Args:
        device: Where to compute.
        dtype: Type of the matrices.
        seconds: Time for one size; a size of which two products would take longer is left out.
    """
    best = took = 0.0
    for size in SIZES:
        if best and 8 * 2 * took > seconds:
            break
        left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        took = min(_products(left, right, seconds))
        best = max(best, 2 * size**3 / took / 1e12)
    return best


def _products(left: Tensor, right: Tensor, seconds: float) -> list[float]:
    """Return the duration of several products; the very first does not count."""
    torch.mm(left, right)
    durations: list[float] = []
    while len(durations) < REPEATS and sum(durations) < seconds:
        synchronise(left.device)
        started = time.perf_counter()
        torch.mm(left, right)
        synchronise(left.device)
        durations.append(time.perf_counter() - started)
    return durations


def flop_count(net: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], image: Tensor, mask: Tensor) -> int:
    """Return the floating-point operations of one forward and backward pass, a multiply-add counting as two.

    Only products (convolutions and matrices) are counted, as is custom.
    """
    with FlopCounterMode(display=False) as counter:
        loss(net(image), mask).backward()
    return counter.get_total_flops()


def step_flops(recipe: Recipe, batch_size: int, size: tuple[int, int]) -> int:
    """Return the operations of a recipe's training step, counted on tensors without content."""
    channels = recipe.images.channels
    with torch.device("meta"):
        net = recipe.net.build(channels).train()
        image, mask = torch.empty(batch_size, channels, *size), torch.empty(batch_size, 1, *size)
    return flop_count(net, recipe.loss, image, mask)


def memory_rise(work: Callable[[], None], device: torch.device) -> int | None:
    """Return by how many bytes a piece of work raises the memory in use, at its peak.

    On a GPU, of torch's tensors; on a CPU, of what the process holds in memory, where Linux tells (else ``None``).
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    except OSError:
        work()
        return None
    before = resident_bytes("VmHWM")
    work()
    return resident_bytes("VmHWM") - before


def give_back() -> None:
    """Give unused memory back to the system, so that what is used next shows as a rise."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_bytes(name: str) -> int:
    """Return a figure of Linux on the memory of this process, such as ``VmHWM`` (peak) or ``RssAnon``."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
