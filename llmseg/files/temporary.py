"""Temporary files and folders: their names tell who writes there, so that what a killed process left is cleared."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\.llmseg-(?P<machine>[0-9a-f]{6})-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}\.part")
"""Names of temporary files and folders: they tell who writes there. They are short whatever the final name is."""

_MARK = re.compile(r"\.llmseg-[a-z]+|\.lock(\.lease.*)?")
"""Names of files that stand in a folder while a command works there: marks, and locks with what stands in for them."""

_DAY = 24 * 60 * 60.0


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
