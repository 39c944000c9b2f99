"""Looking at what archives say of themselves, before the standard library makes an object of every line of it."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_END, _END_64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x01\x02"
_END_SIZE, _COMMENT, _ENTRY_SIZE = 22, 2**16, 46
_BLOCK = 2**20

MAX_HEADER = 2**20
"""Bytes of the headers of one member of a tar: of long names and maps of sparse files, which are read as a whole."""


def count_members(path: Path) -> int:
    """Return how many members the list at the end of a zip may have at most; 0 if there is no such list.

    The list is not taken at its word: each of its entries begins with a mark, and marks are counted.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _END_SIZE - _COMMENT, 0))
        tail = file.read()
        place = tail.rfind(_END)
        if place < 0 or len(tail) - place < _END_SIZE:
            return 0
        end = size - len(tail) + place
        (length,) = struct.unpack_from("<I", tail, place + 12)
        wide = tail.rfind(_END_64, 0, place)
        if wide >= 0 and place - wide >= 48:
            length = max(length if length != 2**32 - 1 else 0, struct.unpack_from("<Q", tail, wide + 40)[0])
        # Between the list and its end stand at most the 76 bytes of a zip of more than 4 GiB.
        start = max(end - 76 - length, 0)
        return sum(block.count(_ENTRY) for block in _read_blocks(file, start, end))


def _read_blocks(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    """Yield a part of a file in blocks that overlap by less than a mark, so that none is missed or counted twice."""
    file.seek(start)
    left = end - start
    kept = b""
    while left > 0 and (piece := file.read(min(left, _BLOCK))):
        left -= len(piece)
        block = kept + piece
        yield block
        kept = block[-(len(_ENTRY) - 1) :]


class HeaderReader(io.BufferedReader):
    """A file for :mod:`tarfile` that gives at most :data:`MAX_HEADER` bytes while the header of a member is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        # tarfile reads the first header when it opens the file.
        self._left: int | None = MAX_HEADER

    def read_header(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        """Return the next member of the archive that reads this file, ``None`` at its end."""
        self._left = MAX_HEADER
        try:
            return archive.next()
        finally:
            self._left = None

    def read(self, size: int | None = -1) -> bytes:
        """Read bytes.

        Raises:
            tarfile.ReadError: They are too many for a header.
        """
        if self._left is not None:
            self._left -= MAX_HEADER + 1 if size is None or size < 0 else size
            if self._left < 0:
                raise tarfile.ReadError(f"a member has headers of more than {MAX_HEADER} bytes")
        return super().read(size)
