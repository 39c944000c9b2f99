"""Files and folders: what may be written where, writing so that a reader never sees half a file, reading records."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.errors import UserError
from llmseg.interruption import discard_at_end

if TYPE_CHECKING:
    import numpy as np

_PART = ".part"
_DAMAGED = "put it back from a copy, or move its folder away and start again"


def as_list(given: str | os.PathLike[str] | Iterable[Any]) -> list[Any]:
    """Return what is given as a list; a single text or path is one item, not its letters.

    Example:
        >>> as_list("study"), as_list(("a", "b"))
        (['study'], ['a', 'b'])
    """
    if isinstance(given, str | os.PathLike):
        return [given]
    return list(given)


def remove_parts(folder: Path, name: str = "*") -> None:
    """Remove the temporary files of a process that was killed while it wrote files of a name in a folder."""
    for part in folder.glob(f".{name}-*{_PART}"):
        part.unlink()


def clean_name(text: str, *, also: str, instead: str = "_") -> str:
    """Replace every character that is neither a letter, nor a digit, nor one of some others.

    File systems refuse some characters. Callers state which others they keep, because names of files that were
    written once must stay what they are.

    Args:
        text: What is made a name of.
        also: Characters that are kept besides letters and digits.
        instead: What stands in the place of each other character.

    Example:
        >>> clean_name("fit.rate=1e-3, 1e-4", also="-_.=")
        'fit.rate=1e-3__1e-4'
    """
    return "".join(letter if letter.isalnum() or letter in also else instead for letter in text)


def check_kind(folder: Path, kind: str, *, holds: bool) -> None:
    """Refuse to write into a folder that is in use for something else, or into a file.

    Args:
        folder: Where the caller wants to write. A folder that is empty or not there is free.
        kind: What the caller writes, such as "run".
        holds: Whether the folder holds one of that kind already.

    Raises:
        UserError: The folder has content of another kind, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")
    if not holds and folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty and holds no {kind}; choose another --out")


def check_files(folder: Path, kind: str, names: Collection[str]) -> None:
    """Refuse to replace what is in a folder if one of its files is not ours.

    Args:
        folder: Where the caller wants to write. A folder that is not there is free.
        kind: What the caller writes, with its article, such as "a report".
        names: The files of that kind, as paths inside the folder.

    Raises:
        UserError: The folder has another file, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    others = sorted(present.difference(names))
    if others:
        raise UserError(f"{folder} holds {others[0]}, which is no part of {kind}; choose another --out")


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written or made.

    Raises:
        UserError: The folder, or the nearest one above it that is there, does not take files.
    """
    parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(parent, os.W_OK):
        raise UserError(f"cannot write in {parent}; choose another --out")


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
def replace_file(path: Path) -> Iterator[Path]:
    """Give the block a temporary path in the same folder; at the end, what was written there becomes the file.

    A reader sees the old file or the new one, never half of one: the content is flushed to the disk, and then the
    temporary file is renamed.

    Args:
        path: The file; an existing one is replaced, or kept if the block fails.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=_PART)
        os.close(handle)
        temporary = discard_at_end(Path(name))
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp lets nobody else read its file; others get the permissions that an ordinary new file has.
        temporary.chmod(0o666 & ~read_umask())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; what was there before is kept") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


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


def encode_png(values: np.ndarray) -> bytes:
    """Return an image, uint8 ``[H, W]`` or ``[H, W, 3]``, as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    return buffer.getvalue()


def read_bytes(path: str | Path, *, hint: str = "replace it or move it away") -> bytes:
    """Return the content of a file that a user gave.

    Args:
        path: The file.
        hint: What the message tells the user to do if the file cannot be read.

    Raises:
        UserError: The file cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {hint}") from error


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


def read_umask() -> int:
    """Return the permissions that new files of this process do not get.

    The system only tells the umask when it is set, so it is set to 0 for a moment.
    """
    mask = os.umask(0)
    os.umask(mask)
    return mask
