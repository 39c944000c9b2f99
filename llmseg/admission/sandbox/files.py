"""The folders that a foreign command writes to: lending them, measuring them, and taking out links.

Nothing in them is trusted. Folders are opened one in another, so that a link never leads elsewhere, and no file is
opened.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

DEEPEST = 64
"""How many folders may lie one in another."""

_LEAST_BYTES = 4096


class TooDeepError(Exception):
    """Folders lie one in another, more than :data:`DEEPEST` of them."""


@dataclass(frozen=True)
class Entry:
    """A file, folder or link below a folder.

    Attributes:
        path: Its path from the folder.
        parent: The open folder in which it is; it closes when the walk goes on.
        state: What the system says about it, of a link itself.
    """

    path: PurePosixPath
    parent: int
    state: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.state.st_mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.state.st_mode)


def walk(folder: Path) -> Iterator[Entry]:
    """Yield everything below a folder, a folder before what is in it; no link is followed.

    Raises:
        TooDeepError: There are more folders in one another than a pipeline needs.
    """
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    yield from _walk_open(top, PurePosixPath(), DEEPEST)


def _walk_open(folder: int, path: PurePosixPath, left: int) -> Iterator[Entry]:
    try:
        if not left:
            raise TooDeepError(f"more than {DEEPEST} folders, one in another")
        for name in os.listdir(folder):
            # What a running command removes in the meantime is no longer there.
            with suppress(OSError):
                entry = Entry(path / name, folder, os.stat(name, dir_fd=folder, follow_symlinks=False))
                yield entry
                if entry.is_folder:
                    yield from _walk_open(_open_inner(name, folder), path / name, left - 1)
    finally:
        os.close(folder)


def _open_inner(name: str, parent: int) -> int:
    """Open a folder in an open one, also if its owner, the command, may not read it: it could hide files there."""
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except PermissionError:
        if sys.platform != "linux":
            raise
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            Path(f"/proc/self/fd/{handle}").chmod(0o700)
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        finally:
            os.close(handle)


def measure(folder: Path) -> int:
    """Return how many bytes everything in a folder takes; each entry takes at least 4 KiB, as an empty file does."""
    return sum(max(entry.state.st_blocks * 512, _LEAST_BYTES) for entry in walk(folder))


def list_states(folder: Path) -> dict[str, tuple[int, int]]:
    """Return (size, time of the last change) of every file in a folder, to see later which are new or changed."""
    return {str(entry.path): _read_state(entry) for entry in walk(folder) if entry.is_file}


def list_changed(folder: Path, before: dict[str, tuple[int, int]]) -> Iterator[PurePosixPath]:
    """Yield every file that is new or changed since :func:`list_states`, and not empty."""
    for entry in walk(folder):
        if entry.is_file and entry.state.st_size and before.get(str(entry.path)) != _read_state(entry):
            yield entry.path


def _read_state(entry: Entry) -> tuple[int, int]:
    return entry.state.st_size, entry.state.st_mtime_ns


def find_unreadable(path: Path) -> Path | None:
    """Return a file or folder, of a path and what is below it, that other users cannot read; ``None`` if all can."""
    entries = walk(path) if path.is_dir() else iter(())
    states = [(path, path.stat()), *((path / entry.path, entry.state) for entry in entries)]
    for found, state in states:
        needed = 0o005 if stat.S_ISDIR(state.st_mode) else 0o004
        if not stat.S_ISLNK(state.st_mode) and state.st_mode & needed != needed:
            return found
    return None


def give_to(folder: Path, uid: int) -> None:
    """Give a folder and what is in it to a user; files that have a second name elsewhere stay as they are."""
    os.chown(folder, uid, uid)
    for entry in walk(folder):
        if not entry.is_file or entry.state.st_nlink == 1:
            os.chown(entry.path.name, uid, uid, dir_fd=entry.parent, follow_symlinks=False)


def take_back(folder: Path, owner: os.stat_result) -> list[PurePosixPath]:
    """Take a folder back when its command has ended, and return what was taken out of it.

    A link within the folder becomes a second name of the file that it names. All other links, and what is neither file
    nor folder, are removed: outside of the sandbox they may lead to what the command could not see. Folders that lie
    too deep are removed with all that is in them.

    Args:
        folder: The folder.
        owner: State of the folder before it was lent; everything in it gets its owner.
    """
    removed: list[PurePosixPath] = []
    _take_back_one(folder, owner)
    for entry in walk(folder):
        if entry.is_folder and len(entry.path.parts) >= DEEPEST:
            # Paths this long cannot be named from the top any more.
            subprocess.run(
                ["rm", "-rf", "--", entry.path.name], cwd=f"/proc/{os.getpid()}/fd/{entry.parent}", check=True
            )
            removed.append(entry.path)
        elif entry.is_folder or entry.is_file:
            _take_back_one(entry.path.name, owner, entry.parent)
        elif not _is_made_file(folder, entry):
            os.unlink(entry.path.name, dir_fd=entry.parent)
            removed.append(entry.path)
    return sorted(removed)


def _take_back_one(where: Path | str, owner: os.stat_result, parent: int | None = None) -> None:
    """Give a file or folder back to its owner, readable, and without the rights that only privileged programs need."""
    state = os.stat(where, dir_fd=parent, follow_symlinks=False)
    if (state.st_uid, state.st_gid) != (owner.st_uid, owner.st_gid) and os.geteuid() == 0:
        os.chown(where, owner.st_uid, owner.st_gid, dir_fd=parent, follow_symlinks=False)
    readable = 0o700 if stat.S_ISDIR(state.st_mode) else 0o600
    mode = (stat.S_IMODE(state.st_mode) & 0o777) | readable
    if mode != stat.S_IMODE(state.st_mode):
        os.chmod(where, mode, dir_fd=parent)


def _is_made_file(folder: Path, entry: Entry) -> bool:
    """Put a second name of a file in the place of a link to it, if it is a file of the same folder; return whether."""
    if not stat.S_ISLNK(entry.state.st_mode):
        return False
    named = PurePosixPath(os.readlink(entry.path.name, dir_fd=entry.parent))
    target = PurePosixPath(os.path.normpath(entry.path.parent / named))
    if named.is_absolute() or ".." in target.parts:
        return False
    # A link on the way would lead elsewhere than the path says.
    steps = [folder / step for step in (target, *target.parents)][:-1]
    if any(step.is_symlink() for step in steps) or not (folder / target).is_file():
        return False
    os.unlink(entry.path.name, dir_fd=entry.parent)
    os.link(folder / target, entry.path.name, dst_dir_fd=entry.parent, follow_symlinks=False)
    return True
