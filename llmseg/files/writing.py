"""Writing so that a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError
from llmseg.files.interruption import discard_at_end, keep_at_end
from llmseg.files.temporary import clear_leftovers, temporary_path

if TYPE_CHECKING:
    import numpy as np


def _rename(temporary: Path, path: Path) -> None:
    temporary.replace(path)


@contextmanager
def replace_file(path: Path, publish: Callable[[Path, Path], None] = _rename) -> Iterator[Path]:
    """Give the block a temporary path in the same folder; at the end, what was written there becomes the file.

    A reader sees the old file or the new one, never half of one: the content is flushed to the disk, and then the
    temporary file is renamed.

    Args:
        path: The file; an existing one is replaced, or kept if the block fails.
        publish: How the temporary file becomes the file.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    _clear_once(path.parent.absolute(), os.getpid())
    temporary = discard_at_end(temporary_path(path.parent))
    try:
        # The system takes the umask off these permissions, as it does for any new file.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        publish(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; what was there before is kept") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        keep_at_end(temporary)


@functools.cache
def _clear_once(folder: Path, process: int) -> None:
    """Clear a folder when a process first writes there; looking at every write would take long in a full folder."""
    clear_leftovers(folder)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it appears as a whole, see :func:`replace_file`.

    Args:
        path: The file; an existing one is replaced.
        content: The bytes.

    Raises:
        UserError: The disk is full or refuses the file; an existing one is kept.
    """
    with replace_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as :func:`write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_first(path: Path, text: str) -> None:
    """Write UTF-8 text as a whole, unless the file is there: of processes that write at once, the first one wins.

    Args:
        path: The file; an existing one is kept.
        text: The text.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    with replace_file(path, _link) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike renaming, it never replaces a file
    except FileExistsError:
        pass
    except OSError:  # some file systems have no links
        _rename(temporary, path)


def encode_png(values: np.ndarray) -> bytes:
    """Return an image, uint8 ``[H, W]``, ``[H, W, 3]`` or ``[H, W, 4]``, as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    return buffer.getvalue()
