"""Files and folders: what may be written where, writing so that a reader never sees half a file, reading records."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.errors import UserError
from llmseg.files.fields import DAMAGED, Fields, check_fields
from llmseg.files.interruption import discard_at_end, keep_at_end

if TYPE_CHECKING:
    import numpy as np

_TEMPORARY = re.compile(r"\.llmseg-(?P<machine>[0-9a-f]{6})-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}\.part")
"""Names of temporary files and folders: they tell who writes there. They are short whatever the final name is."""

_MARK = re.compile(r"\.llmseg-[a-z]+|\.lock(\.lease.*)?")
"""Names of files that stand in a folder while a command works there: marks, and locks with what stands in for them."""

_DAY = 24 * 60 * 60.0


def as_list(given: str | os.PathLike[str] | Iterable[Any]) -> list[Any]:
    """Return what is given as a list; a single text or path is one item, not its letters.

    Example:
        >>> as_list("study"), as_list(("a", "b"))
        (['study'], ['a', 'b'])
    """
    if isinstance(given, str | os.PathLike):
        return [given]
    return list(given)


def temporary_path(folder: Path) -> Path:
    """Return a new path in a folder; its name says which process writes there, see :func:`clear_leftovers`."""
    owner = f"{_machine()}-{os.getpid()}-{_read_start(os.getpid()) or 0}"
    return folder / f".llmseg-{owner}-{secrets.token_hex(4)}.part"


def clear_leftovers(folder: Path, *names: str) -> None:
    """Remove what processes left half-written in a folder when they were killed, and nothing else.

    Args:
        folder: The folder; it need not be there.
        names: Final names of files whose temporary files earlier versions named ``.NAME-x.part``. Such a name does not
            tell its process, so it is removed in any case.
    """
    finals = set(names)
    for path in folder.iterdir() if folder.is_dir() else ():
        if _is_abandoned(path) or is_older_part(path.name, finals):
            # Another process may clear it at the same time, and a disk that only reads is no reason to stop.
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def is_unfinished(path: Path, names: Collection[str] = ()) -> bool:
    """Return whether a path has the name of a lock or a temporary file of ours, which no user has made.

    Args:
        path: The path.
        names: As for :func:`clear_leftovers`.
    """
    return bool(
        _MARK.fullmatch(path.name)
        or is_older_part(path.name, names)
        or any(_TEMPORARY.fullmatch(part) for part in path.parts)
    )


def is_older_part(name: str, finals: Collection[str]) -> bool:
    """Return whether a name is that of a temporary file, as earlier versions named it, of one of some files."""
    older = re.fullmatch(r"\.(.+)-[a-z0-9_]+\.part", name)
    return older is not None and older[1] in finals


def _is_abandoned(path: Path) -> bool:
    """Return whether a path is a temporary one whose process has ended."""
    owner = _TEMPORARY.fullmatch(path.name)
    if owner is None:
        return False
    if owner["machine"] == _machine():
        # A later process may have the same number, but it started at another time.
        return _read_start(int(owner["pid"])) not in (int(owner["start"]), 0)
    # Processes of other machines and containers cannot be seen from here.
    with suppress(OSError):
        return time.time() - path.lstat().st_mtime > _DAY
    return False


@functools.cache
def _machine() -> str:
    """Return what tells machines and containers apart: within one of them, the numbers of processes are unique."""
    with suppress(OSError):
        return hashlib.sha256(f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:6]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:6]


def _read_start(pid: int) -> int | None:
    """Return when a process started, 0 if the system does not tell, ``None`` if there is no such process."""
    import psutil

    try:
        # Ticks since the machine started. psutil adds the time of day, which somebody may have set in the meantime.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state == "Z" else int(fields[18])
    except OSError:
        return 0 if psutil.pid_exists(pid) else None


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


def check_kind(folder: Path, kind: str, *, holds: bool, record: str = "") -> None:
    """Refuse to write into a folder that is in use for something else, or into a file.

    Args:
        folder: Where the caller wants to write. A folder that is not there is free, and so is one without files, but
            for locks and temporary files of processes that were killed.
        kind: What the caller writes, such as "run".
        holds: Whether the folder holds one of that kind already.
        record: The file that says so, whose temporary files are passed over, too.

    Raises:
        UserError: The folder has content of another kind, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")
    if not holds and not all(is_unfinished(path, (record,)) for path in _list_files(folder)):
        raise UserError(f"{folder} is not empty and holds no {kind}; choose another --out")


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield what is no folder; a link to a folder counts as a file, for what lies behind it is somebody else's."""
    return (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def check_files(folder: Path, kind: str, names: Collection[str]) -> None:
    """Refuse to replace what is in a folder if one of its files is not ours.

    Args:
        folder: Where the caller wants to write. A folder that is not there is free.
        kind: What the caller writes, with its article, such as "a report".
        names: The files of that kind, as paths inside the folder. Their temporary files may be there, too.

    Raises:
        UserError: The folder has another file, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")
    finals = {name.rpartition("/")[2] for name in names}
    files = (path for path in _list_files(folder) if not is_unfinished(path, finals))
    others = sorted({path.relative_to(folder).as_posix() for path in files}.difference(names))
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
    _clear_once(path.parent.absolute(), os.getpid())
    temporary = discard_at_end(temporary_path(path.parent))
    try:
        # The system takes the umask off these permissions, as it does for any new file.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
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


def encode_png(values: np.ndarray) -> bytes:
    """Return an image, uint8 ``[H, W]`` or ``[H, W, 3]``, as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    return buffer.getvalue()


def check_name(path: Path) -> None:
    """Refuse a file whose name is not UTF-8, as of an archive from an old Windows: tables could not hold it.

    Raises:
        UserError: It is not. The message shows the bytes that are none.
    """
    try:
        path.name.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = path.name.encode("utf-8", "backslashreplace").decode()
        raise UserError(f"the name of {path.parent}/{shown} is not UTF-8; rename the file") from error


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


def read_json(path: Path, keys: Fields = ()) -> dict[str, Any]:
    """Return the record in a JSON file.

    Args:
        path: The file.
        keys: What the record must have.

    Raises:
        UserError: There is no such file, it cannot be read, it holds no JSON object, or the object lacks a key or has
            something else there than it must.
    """
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(f"no file {path}; give a folder that has one, or put it back from a copy") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; make it readable") from error
    except (ValueError, RecursionError) as error:  # no JSON, bytes that are no text, or lists in lists without end
        raise UserError(f"{path} is damaged: it holds no JSON; {DAMAGED}") from error
    if not isinstance(record, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object; {DAMAGED}")
    check_fields(path, record, keys)
    return record


def read_json_if_any(path: Path, keys: Fields = ()) -> dict[str, Any]:
    """Return the record in a JSON file, an empty one if there is no such file.

    Args:
        path: The file.
        keys: What the record must have, if there is one.

    Raises:
        UserError: The file is there, and :func:`read_json` refuses it.
    """
    return read_json(path, keys) if path.exists() else {}
