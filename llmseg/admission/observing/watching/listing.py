"""The order in which folders list their files, which no system promises."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any


def mix(text: str, note: Callable[[str, list[str]], None]) -> None:
    """Let folders list their files in an order that depends on their names, the folder's name and a text alone.

    ``note`` is told each folder and its names in their order. ``os.walk``, ``glob`` and ``pathlib`` use what is
    replaced here.
    """
    list_names, scan = os.listdir, os.scandir

    def key(folder: Any, name: Any) -> bytes:
        where = Path(os.fsdecode(folder)).absolute().name
        return hashlib.sha256(f"{text}/{where}/{name}".encode(errors="replace")).digest()

    @functools.wraps(list_names)
    def listdir(path: Any = ".") -> list[Any]:
        names = list_names(path)
        if isinstance(path, int):
            return names
        names.sort(key=lambda name: key(path or ".", name))
        note(os.fsdecode(path or "."), [os.fsdecode(name) for name in names])
        return names

    @functools.wraps(scan)
    def scandir(path: Any = ".") -> Any:
        entries = scan(path)
        if isinstance(path, int):
            return entries

        def arrange(found: Iterable[Any]) -> list[Any]:
            ordered = sorted(found, key=lambda entry: key(path or ".", entry.name))
            note(os.fsdecode(path or "."), [os.fsdecode(entry.name) for entry in ordered])
            return ordered

        return _Entries(entries, arrange)

    os.listdir = listdir
    os.scandir = scandir


class _Entries:
    """What ``os.scandir`` returns, in another order."""

    def __init__(self, entries: Any, arrange: Callable[[Iterable[Any]], list[Any]]) -> None:
        self._entries = entries
        self._sorted: Iterator[Any] | None = None
        self._arrange = arrange

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._sorted is None:
            self._sorted = iter(self._arrange(self._entries))
        return next(self._sorted)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the listing."""
        self._entries.close()
