"""What is to run in a sandbox: a command, what it sees of this computer, and how much it may use."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath

from llmseg.errors import UserError

SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""What every program needs; a sandbox shows them, and they can only be read."""

_PACKAGES = ("site-packages", "dist-packages")

_TAKEN = (*SYSTEM_FOLDERS, "/etc", "/proc", "/dev", "/sys")


@dataclass(frozen=True)
class Limits:
    """How much a command may use. Reaching a limit ends it.

    Attributes:
        seconds: Time by the clock.
        cpu_seconds: Computing time of all its processes together.
        memory_bytes: Memory of all its processes together.
        processes: How many processes and threads it may have at once. Libraries start threads for all cores.
        disk_bytes: What it may write in all its writable places and temporary folders together. A file counts as at
            least 4 KiB, so that empty files count, too.
        output_bytes: What it may print.

    Raises:
        UserError: A limit is not above 0.

    Example:
        >>> Limits(seconds=60, memory_bytes=2 * 2**30).processes
        1024
    """

    seconds: float = 600
    cpu_seconds: float = 1800
    memory_bytes: int = 8 * 2**30
    processes: int = 1024
    disk_bytes: int = 4 * 2**30
    output_bytes: int = 16 * 2**20

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not 0 < value < math.inf:
                raise UserError(f"{limit.name} {value}: give a limit above 0, such as {limit.default}")


@dataclass(frozen=True)
class Place:
    """A file or folder of this computer that a command sees.

    Attributes:
        outside: Where it is.
        inside: Where the command sees it, such as ``/content/drive/data`` that a script has written into itself;
            ``None`` for the same path.
        writable: Whether the command may write there. Such a place is a folder, and it belongs to the command while
            that runs: give a copy, never the folder of a user.

    Raises:
        UserError: Nothing is there, a writable place is no folder, or ``inside`` is no absolute path or belongs to the
            system.

    Example:
        >>> Place(Path("/usr/share"), inside=Path("/content/share")).seen_at.as_posix()
        '/content/share'
    """

    outside: Path
    inside: Path | None = None
    writable: bool = False

    def __post_init__(self) -> None:
        if not os.access(self.outside, os.F_OK):
            raise UserError(f"{self.outside}: there is no such file or folder for the sandbox to show")
        if self.writable and not self.outside.is_dir():
            raise UserError(f"{self.outside}: a sandbox can only let a folder be written to")
        where = PurePosixPath(self.seen_at)
        if not where.is_absolute() or ".." in where.parts or where == PurePosixPath("/"):
            raise UserError(f"{where}: a place inside a sandbox is an absolute path without '..', such as /data/images")
        taken = next((folder for folder in _TAKEN if where.is_relative_to(folder)), None)
        if taken is not None and self.inside is not None:
            raise UserError(f"{where}: nothing can be placed in {taken}, which belongs to the system; choose another")

    @property
    def seen_at(self) -> Path:
        """The path at which the command sees it."""
        return self.outside.absolute() if self.inside is None else self.inside

    @property
    def is_moved(self) -> bool:
        """Whether the command sees it at another path than this computer."""
        return self.seen_at != self.outside.absolute()


@dataclass(frozen=True)
class Command:
    """A command to run in a sandbox.

    Attributes:
        arguments: The program, as the sandbox sees it, and its arguments.
        folder: Where it runs, as the sandbox sees it; it lies in one of the places.
        places: What it sees besides the system and, see :func:`python_places`, besides Python.
        hidden: Files and folders of this computer that it must never read, such as test masks, also where they lie in
            one of the places.
        environment: Variables, besides those that every command gets; none is inherited.
        limits: How much it may use.

    Raises:
        UserError: There are no arguments, two places have one path, or the folder lies in none of them.
    """

    arguments: tuple[str, ...]
    folder: Path
    places: tuple[Place, ...]
    hidden: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.arguments:
            raise UserError("nothing to run; give a program and its arguments")
        seen = [place.seen_at for place in self.places]
        twice = next((path for path in seen if seen.count(path) > 1), None)
        if twice is not None:
            raise UserError(f"{twice}: two places would be seen there; give each a path of its own")
        if not any(self.folder.is_relative_to(place.seen_at) for place in self.places):
            raise UserError(f"{self.folder}: the command would run in a folder that it does not see; add it as a place")

    @property
    def writable(self) -> tuple[Place, ...]:
        """The places that it may write to."""
        return tuple(place for place in self.places if place.writable)

    def find_hidden(self) -> tuple[tuple[Path, Path], ...]:
        """Return (path on this computer, path for the command) of every hidden file or folder that a place would show.

        Links on the way are followed, so what is hidden is what would be read.
        """
        found = []
        for hidden in {Path(os.path.realpath(path)) for path in self.hidden}:
            for place in self.places:
                shown = Path(os.path.realpath(place.outside))
                if hidden.exists() and hidden.is_relative_to(shown):
                    found.append((hidden, place.seen_at / hidden.relative_to(shown)))
                elif shown.is_relative_to(hidden):
                    found.append((shown, place.seen_at))
        return tuple(sorted(found))


def python_places(executable: str = sys.executable) -> tuple[Place, ...]:
    """Return the folders without which this Python, or another, cannot start, to be read only.

    Folders of packages elsewhere that a ``.pth`` file adds to this Python are among them. Other folders that are
    added so are not: they may hold anything.

    Args:
        executable: The Python; of another one than this, the folder above its ``bin`` and what that links to.

    Example:
        >>> any(Path(sys.executable).is_relative_to(place.outside) for place in python_places()) or (
        ...     sys.executable.startswith("/usr/"))
        True
    """
    prefixes = [Path(executable).absolute().parent.parent, Path(os.path.realpath(executable)).parent.parent]
    if executable == sys.executable:
        prefixes += [Path(sys.prefix), Path(sys.base_prefix)]
        added = (path for path in map(Path, sys.path) if path.name in _PACKAGES and path.is_dir())
        prefixes += [path for path in added if not any(map(path.is_relative_to, prefixes))]
    shown = dict.fromkeys(path for path in prefixes if not any(map(path.is_relative_to, SYSTEM_FOLDERS)))
    return tuple(map(Place, shown))
