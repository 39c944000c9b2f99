"""Work on items that come one after another, some ahead of the one that is asked for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_ahead(work: Callable[[_Item], _Result], items: Iterable[_Item], limit: int = 0) -> Iterator[_Result]:
    """Yield the results of work on items in order, while threads work on later ones.

    Threads suffice for images: Pillow, OpenCV and zlib let others work while they decode, resize and decompress.

    Args:
        work: What is done to each.
        items: In order; not more of them are taken than are worked on.
        limit: Items that are worked on or wait to be asked for, at most; 0 takes twice the number of processors.
    """
    processors = os.cpu_count() or 1
    begun: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(processors) as workers:
        for item in items:
            begun.append(workers.submit(work, item))
            if len(begun) >= (limit or 2 * processors):
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
