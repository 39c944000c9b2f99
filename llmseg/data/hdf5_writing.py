"""Writing HDF5 files on a disk that may be full."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import h5py

_Item = TypeVar("_Item")


@contextmanager
def create_hdf5(path: Path) -> Iterator[tuple[h5py.File, GuardedFile]]:
    """Open a new HDF5 file; if the disk takes no more, close it as if it did, and raise the error then.

    The HDF5 library does not survive a write that fails while it closes a file: the process ends.
    """
    with path.open("r+b", buffering=0) as raw:
        disk = GuardedFile(raw)
        try:
            with h5py.File(disk, "w") as file:
                yield file, disk
        finally:
            if disk.error:
                raise disk.error


class GuardedFile(io.RawIOBase):
    """A file for HDF5 that keeps the first error of writing, in :attr:`error`, and from then on writes to memory."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._position = 0
        self._refused: list[tuple[int, bytes]] = []
        self.error: OSError | None = None

    def stop_at_error(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """Yield items as long as they can be written."""
        for item in items:
            if self.error:
                raise self.error
            yield item

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = max([self._file.seek(0, io.SEEK_END), *(start + len(content) for start, content in self._refused)])
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: end}[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        self._file.seek(self._position)
        count = self._file.readinto(view)
        for start, content in self._refused:
            first, last = max(start, self._position), min(start + len(content), self._position + len(view))
            if first < last:
                view[first - self._position : last - self._position] = content[first - start : last - start]
                count = max(count, last - self._position)
        self._position += count
        return count

    def write(self, content: Any) -> int:
        whole = memoryview(content).cast("B")
        self._attempt(self._write, whole)
        if self.error:
            self._refused.append((self._position, bytes(whole)))
        self._position += len(whole)
        return len(whole)

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        self._attempt(self._file.truncate, size)
        return size

    def _write(self, content: memoryview) -> None:
        self._file.seek(self._position)
        while content:
            content = content[self._file.write(content) :]

    def _attempt(self, work: Callable[[Any], object], argument: Any) -> None:
        if self.error:
            return
        try:
            work(argument)
        except OSError as error:
            self.error = error
