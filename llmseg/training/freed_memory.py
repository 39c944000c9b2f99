"""Freed memory that a process keeps, so that the next step of a training finds it."""

from __future__ import annotations

import ctypes
import functools
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""The parameters of ``mallopt`` by their names in ``malloc.h``, without ``M_``."""

_KEPT = {_TRIM_THRESHOLD: -1, _MMAP_MAX: 0}
"""Nothing is given back, and nothing is asked for alone."""

_USUAL = {_TRIM_THRESHOLD: 64 << 20, _MMAP_MAX: 1 << 16, _MMAP_THRESHOLD: 32 << 20}
"""What glibc comes to by itself once a program has freed 32 MB at once; its first thresholds cannot be had back."""

_lock = threading.Lock()
_blocks = 0


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keep freed memory in the process during the block, where that can be told to the C library (glibc).

    A step of a training on a CPU allocates the same large maps as the step before. Usually the C library gives each of
    them back to the system, which fills them with zeros anew at the next step. That takes up to a fifth of a step in
    float32. No result depends on it. The process takes about a tenth more memory until the block ends, and gives it
    back then. Blocks may overlap: the last one that ends gives it back.

    The time and memory of a training step with it and without are in ``benchmarks/results/freed_memory.json``.

    Example:
        >>> import torch
        >>> with keep_freed_memory():
        ...     maps = [torch.ones(1024, 1024) for _ in range(3)]
    """
    global _blocks
    libc = _find_glibc()
    if libc is None:
        yield
        return
    with _lock:
        _blocks += 1
        if _blocks == 1:
            _set(libc, _KEPT)
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                _set(libc, _USUAL)
                libc.malloc_trim(0)


@functools.cache
def _find_glibc() -> ctypes.CDLL | None:
    """Return the C library of this process, if it can be told; others than glibc are sometimes taken for it."""
    if platform.libc_ver()[0] != "glibc":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def _set(libc: ctypes.CDLL, values: dict[int, int]) -> None:
    for parameter, value in values.items():
        libc.mallopt(parameter, value)
