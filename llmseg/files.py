"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from llmseg.errors import UserError

_PART = ".part"


def remove_parts(folder: Path) -> None:
    """Remove what a process that was killed while it wrote left in a folder."""
    for part in folder.glob(f".*{_PART}"):
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


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to disk, and move it into place.

    Args:
        path: Where the file belongs; an existing one is replaced.
        content: What it shall hold.

    Raises:
        UserError: The disk is full or refuses the file; an existing one is kept.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=_PART)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; what was there before is kept") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as :func:`write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
