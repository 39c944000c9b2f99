"""What may be written where: folders that are free, or hold what the same command wrote before."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from llmseg.errors import UserError
from llmseg.files.temporary import is_unfinished


def walk_folders(root: Path, enters: Callable[[str], bool], left_out: Path | None = None) -> Iterator[tuple[str, str]]:
    """Yield the folder and the name of every file in a folder and below it.

    Links to folders are followed, but no folder is entered twice.

    Args:
        root: The folder.
        enters: Whether a folder below is entered, by its name.
        left_out: A folder that is not entered.
    """
    seen = set() if left_out is None else {os.path.realpath(left_out)}
    for folder, inner, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(filter(enters, inner))
        yield from ((folder, name) for name in names)


def find_folders(folder: Path, is_wanted: Callable[[Path], bool], depth: int) -> Iterator[Path]:
    """Yield a folder if it is wanted, otherwise the wanted ones some levels down, by name; none inside another.

    Args:
        folder: Where to begin.
        is_wanted: Whether a folder is one of those.
        depth: Number of levels below.
    """
    if is_wanted(folder):
        yield folder
    elif depth:
        for inner in sorted(folder.glob("*/")):
            yield from find_folders(inner, is_wanted, depth - 1)


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
