"""The rung with sandlock: the kernel (Landlock and seccomp) refuses what a command may not do."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from llmseg.admission.sandbox.command import SYSTEM_FOLDERS, Command
from llmseg.admission.sandbox.start import Room, Start, choose_environment, count_threads, find_root_only

_READABLE = (
    *SYSTEM_FOLDERS,
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/fonts",
    "/etc/passwd",
    "/proc",
    "/sys/devices/system",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_SUPERVISOR = 64
"""More threads than sandlock itself needs."""


def find_missing() -> str | None:
    """Return why sandlock cannot be used here, with what to do about it; ``None`` if it can be tried."""
    return find_root_only() if _find_sandlock() else "sandlock is not installed; run: pip install sandlock"


def _find_sandlock() -> list[str]:
    """Return the folders of the package sandlock, none if it is not installed."""
    found = importlib.util.find_spec("sandlock")
    return list(found.submodule_search_locations or ()) if found is not None else []


def start_landlock(command: Command, room: Room) -> Start:
    """Return how to start a command under sandlock."""
    environment = choose_environment(command, str(room.temporary))
    shared = room.temporary / "shm"
    shared.mkdir(mode=0o1777)
    shared.chmod(0o1777)
    hidden = command.find_hidden()
    rules = {
        "fs_readable": [*filter(os.path.exists, _READABLE), *_list_places(command, writable=False)],
        "fs_writable": [*filter(os.path.exists, _DEVICES), str(room.temporary), *_list_places(command, writable=True)],
        "fs_denied": sorted({str(path) for pair in hidden for path in pair}),
        # Paths are moved only below a root; this one is that of the computer.
        "chroot": "/",
        "fs_mount": {"/dev/shm": str(shared), **_map_moved(command, writable=True)},
        "fs_mount_ro": _map_moved(command, writable=False),
        "max_processes": int(command.limits.processes),
        "cwd": str(command.folder),
        "env": environment,
    }
    return Start(
        list(command.arguments),
        environment,
        folder="/",
        drops=room.uid is not None,
        has_supervisor=True,
        landlock={"packages": [str(Path(folder).parent) for folder in _find_sandlock()], "rules": rules},
        resources={"RLIMIT_NPROC": count_threads(room.uid) + int(command.limits.processes) + _SUPERVISOR},
    )


def _list_places(command: Command, *, writable: bool) -> list[str]:
    return [os.path.realpath(place.outside) for place in command.places if place.writable == writable]


def _map_moved(command: Command, *, writable: bool) -> dict[str, str]:
    """Return where places are on this computer, by where the command sees them."""
    places = (place for place in command.places if place.is_moved and place.writable == writable)
    return {str(place.seen_at): os.path.realpath(place.outside) for place in places}
