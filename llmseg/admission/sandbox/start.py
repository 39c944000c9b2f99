"""How a command is started on a rung: what the keeper has to know, and a folder for this command alone."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from llmseg.admission.sandbox.command import Command

_FIRST_USER, _USERS = 61184, 4336
"""User numbers that systemd, too, gives to users that exist for a moment; no account has them."""

USER_NAME = "sandbox"


@dataclass(frozen=True)
class Start:
    """What the keeper starts.

    Attributes:
        arguments: The program with its arguments, of a sandbox or the command itself.
        environment: All variables.
        folder: Where it starts, on this computer; ``None`` if the sandbox goes there itself.
        drops: Whether the keeper itself makes it another user.
        temporary: Folders inside of the sandbox that are lost with it.
        kept_files: Numbers of open files of the room that the program needs.
        wrappers: How many processes and threads the sandbox has itself.
        has_supervisor: Whether the first process is the sandbox's own, whatever threads it has.
        landlock: What sandlock is told, if it is used.
        resources: Limits that the kernel holds for each process, besides those that every rung has.
    """

    arguments: list[str]
    environment: dict[str, str]
    folder: str | None = None
    drops: bool = False
    temporary: tuple[str, ...] = ()
    kept_files: tuple[int, ...] = ()
    wrappers: int = 0
    has_supervisor: bool = False
    landlock: dict[str, Any] | None = None
    resources: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Room:
    """The folder of one command, outside of what it sees unless a rung shows it parts.

    Attributes:
        folder: The folder.
        uid: Number of the user that the command becomes, ``None`` if it stays who started it.
        arguments: Number of an open file for the arguments of bubblewrap.
        status: Number of an open file to which bubblewrap writes how the command ended.
    """

    folder: Path
    uid: int | None
    arguments: int
    status: int

    @property
    def temporary(self) -> Path:
        """A folder for temporary files, for rungs that show the command those of this computer."""
        return self.folder / "tmp"


def choose_user() -> int | None:
    """Return the number of a user that nobody is and no process has, or ``None`` if one cannot become another user."""
    if os.geteuid() != 0:
        return None
    taken = {uid for process in psutil.process_iter(["uids"]) for uid in process.info["uids"] or ()}
    while True:
        uid = _FIRST_USER + secrets.randbelow(_USERS)
        if uid not in taken:
            return uid


def count_threads(uid: int | None) -> int:
    """Return how many threads a user has on this computer, for the kernel counts them all.

    Args:
        uid: Number of a user who was made for a command and has none yet; ``None`` for who runs this process.
    """
    if uid is not None:
        return 0
    processes = psutil.process_iter(["uids", "num_threads"])
    found = (process.info for process in processes)
    return sum(info["num_threads"] or 0 for info in found if info["uids"] and info["uids"].real == os.getuid())


def find_unreachable(path: Path) -> Path | None:
    """Return the first folder on the way to a path that other users cannot pass, ``None`` if they can reach it."""
    ways = (parent for way in (path, Path(os.path.realpath(path))) for parent in reversed(way.parents))
    return next((folder for folder in ways if not folder.stat().st_mode & 0o001), None)


def find_root_only() -> str | None:
    """Return why scripts could run only as root where nothing is mounted, ``None`` if they need not.

    Root would run foreign code as a user without rights, who has to reach Python.
    """
    folder = find_unreachable(Path(sys.executable)) if os.geteuid() == 0 else None
    if folder is None:
        return None
    return f"only root can pass {folder} to this Python, and scripts do not run as root; run as an ordinary user"


def choose_environment(command: Command, home: str) -> dict[str, str]:
    """Return the variables of a command: its own, and those that programs expect; none of this process."""
    program = Path(command.arguments[0])
    found = [str(program.parent)] if program.is_absolute() else []
    return {
        "PATH": ":".join([*found, "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": home,
        "TMPDIR": home,
        "USER": USER_NAME,
        "LOGNAME": USER_NAME,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **command.environment,
    }
