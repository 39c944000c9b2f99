"""Reading ahead: threads decode the next cases while the caller is busy with this one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_ahead(work: Callable[[_Item], _Result], items: Iterable[_Item], limit: int = 0) -> Iterator[_Result]:
    """Yield ``work(item)`` for each item in order, as :func:`map` does, while threads work on later items.

    Threads suffice for images: Pillow, OpenCV and zlib release Python's global lock while they decode, resize and
    decompress. An exception is raised where its result would have come.

    Args:
        work: What is done with each item.
        items: Taken one by one, and only as many as ``limit`` allows. So the memory stays flat.
        limit: How many items may be in work or wait for the caller; 0 takes twice the number of processors.

    Example:
        >>> list(map_ahead(len, ["one", "three"]))
        [3, 5]
    """
    processors = os.cpu_count() or 1
    pending: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(processors) as workers:
        for item in items:
            pending.append(workers.submit(work, item))
            if len(pending) >= (limit or 2 * processors):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
