"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmseg.errors import UserError

_PART = ".part"


def remove_parts(folder: Path, name: str = "*") -> None:
    """Remove what a process that was killed while it wrote files of that name left in a folder."""
    for part in folder.glob(f".{name}-*{_PART}"):
        part.unlink()


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        UserError: The disk is full or refuses the folder.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {path}: {error.strerror}; choose another --out") from error


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a temporary path beside a file's place; at the end, flush what was written there and move it into place.

    Args:
        path: Where the file belongs; an existing one is replaced, or kept if the block fails.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=_PART)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; what was there before is kept") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it appears as a whole, see :func:`replaced`.

    Args:
        path: Where the file belongs; an existing one is replaced.
        content: What it shall hold.

    Raises:
        UserError: The disk is full or refuses the file; an existing one is kept.
    """
    with replaced(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as :func:`write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
