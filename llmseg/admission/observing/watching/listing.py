"""The order in which folders list their files, which no system promises."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def mix(text: str) -> None:
    """Let folders list their files in an order that depends on their names, the folder's name and a text alone.

    ``os.walk``, ``glob`` and ``pathlib`` use what is replaced here.
    """
    list_names, scan = os.listdir, os.scandir

    def key(folder: Any, name: Any) -> bytes:
        where = Path(os.fsdecode(folder)).absolute().name
        return hashlib.sha256(f"{text}/{where}/{name}".encode(errors="replace")).digest()

    @functools.wraps(list_names)
    def listdir(path: Any = ".") -> list[Any]:
        names = list_names(path)
        return names if isinstance(path, int) else sorted(names, key=lambda name: key(path or ".", name))

    @functools.wraps(scan)
    def scandir(path: Any = ".") -> Any:
        entries = scan(path)
        return entries if isinstance(path, int) else _Entries(entries, lambda entry: key(path or ".", entry.name))

    os.listdir = listdir
    os.scandir = scandir


class _Entries:
    """What ``os.scandir`` returns, in another order."""

    def __init__(self, entries: Any, key: Any) -> None:
        self._entries = entries
        self._sorted: Iterator[Any] | None = None
        self._key = key

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._sorted is None:
            self._sorted = iter(sorted(self._entries, key=self._key))
        return next(self._sorted)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the listing."""
        self._entries.close()
