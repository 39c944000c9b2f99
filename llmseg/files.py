"""Writing files so that a reader never sees half of one, and reading records that may be damaged."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.errors import UserError

if TYPE_CHECKING:
    import numpy as np

_PART = ".part"
_DAMAGED = "put it back from a copy, or move its folder away and start again"


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
        temporary.chmod(0o666 & ~umask())
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


def png(values: np.ndarray) -> bytes:
    """Return an image, uint8 ``[H, W]`` or ``[H, W, 3]``, as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    return buffer.getvalue()


def read_json(path: Path, keys: Collection[str] = ()) -> dict[str, Any]:
    """Return the record in a JSON file.

    Args:
        path: The file.
        keys: What the record must have.

    Raises:
        UserError: There is no such file, it cannot be read, it holds no JSON object, or the object lacks a key.
    """
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(f"no file {path}; give a folder that has one, or put it back from a copy") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; make it readable") from error
    except ValueError as error:  # no JSON, or bytes that are no text
        raise UserError(f"{path} is damaged: it holds no JSON; {_DAMAGED}") from error
    if not isinstance(record, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object; {_DAMAGED}")
    lacking = [key for key in keys if key not in record]
    if lacking:
        raise UserError(f"{path} is damaged: it does not say '{lacking[0]}'; {_DAMAGED}")
    return record


def read_json_if_any(path: Path, keys: Collection[str] = ()) -> dict[str, Any]:
    """Return the record in a JSON file, an empty one if there is no such file.

    Args:
        path: The file.
        keys: What the record must have, if there is one.

    Raises:
        UserError: The file is there, and :func:`read_json` refuses it.
    """
    return read_json(path, keys) if path.exists() else {}


def umask() -> int:
    """Return the permissions that new files of this process shall not have."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
