import platform
import resource
from contextlib import ExitStack

import psutil
import pytest
import torch

from llmseg.training import keep_freed_memory

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")

MEGABYTE = 1 << 18
"""Values of float32."""


def _step() -> None:
    """Allocate maps as a step does: some wait for others, and all are freed at its end."""
    maps = [torch.ones(size * MEGABYTE) for size in (64, 32, 16)]
    del maps[1]
    maps.append(torch.ones(16 * MEGABYTE))


def _count_new_pages(steps: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        _step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _measure_memory() -> int:
    return int(psutil.Process().memory_info().rss)


def test_steps_find_the_memory_of_those_before() -> None:
    _step()
    usually = _count_new_pages(5)
    with keep_freed_memory():
        _count_new_pages(5)
        assert _count_new_pages(5) < usually / 5


def test_memory_is_given_back_at_the_end_of_the_last_block() -> None:
    with ExitStack() as both:
        with keep_freed_memory():
            both.enter_context(keep_freed_memory())
            before = _measure_memory()
            _step()
        # The other block lasts on.
        assert _measure_memory() - before > 64 << 20
    assert _measure_memory() - before < 16 << 20
    assert _count_new_pages(1) > 0
