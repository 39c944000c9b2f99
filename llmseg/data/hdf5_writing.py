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
    """Open a new HDF5 file for writing, in such a way that a full disk ends in an exception.

    Args:
        path: An empty file that is there already; what it holds is replaced.

    Yields:
        The HDF5 file, and the file below it, whose :meth:`GuardedFile.stop_at_error` ends a long loop early.

    Raises:
        OSError: The disk refused a write. It is raised when the block ends and the HDF5 file is closed.
    """
    with path.open("r+b", buffering=0) as raw:
        guarded = GuardedFile(raw)
        try:
            with h5py.File(guarded, "w") as file:
                yield file, guarded
        finally:
            if guarded.error:
                raise guarded.error


class GuardedFile(io.RawIOBase):
    """A file for the HDF5 library that never fails: it keeps the first error instead of raising it.

    The library writes its index when it closes a file, and a write that fails there ends the whole process. So from
    the first error on, writes go to memory, reads find them there, and the library closes the file in peace. What is
    on the disk is worthless then; whoever made the file raises :attr:`error` and removes it.

    Attributes:
        error: The first error of writing, if there was one.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._position = 0
        self._refused: list[tuple[int, bytes]] = []  # where each refused write began, and its bytes, oldest first
        self.error: OSError | None = None

    def stop_at_error(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """Yield items until a write has failed, then raise its error: a full disk need not read all cases first."""
        for item in items:
            if self.error:
                raise self.error
            yield item

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # The end is where the file would end had every write succeeded.
        end = max([self._file.seek(0, io.SEEK_END), *(start + len(content) for start, content in self._refused)])
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: end}[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        self._file.seek(self._position)
        count = self._file.readinto(view)
        # Refused writes lie over what the disk has, the youngest on top.
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
        # An unbuffered file may take a part only: the last bytes before the disk is full.
        while content:
            content = content[self._file.write(content) :]

    def _attempt(self, work: Callable[[Any], object], argument: Any) -> None:
        if self.error:
            return
        try:
            work(argument)
        except OSError as error:
            self.error = error
