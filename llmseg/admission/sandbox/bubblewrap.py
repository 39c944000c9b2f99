"""The rungs with bubblewrap: the command sees a file system of its own, without network and other processes."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from llmseg.admission.sandbox.command import SYSTEM_FOLDERS, Command
from llmseg.admission.sandbox.start import USER_NAME, Room, Start, choose_environment
from llmseg.errors import UserError

PROGRAMS = ("bwrap", "setpriv", "prlimit")
"""What the rungs need: bubblewrap, and two programs of util-linux."""

TEMPORARY = ("/tmp", "/dev/shm")

_INNER = "/run/bwrap"
_WRAPPERS = 4

_MOST_HIDDEN = 200
"""Each is a mount, and bubblewrap reads the list of all mounts at each: two thousand take half a minute."""

_ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "ssl")
"""What libraries read in ``/etc``. The rest tells about this computer and its users."""


def find_missing() -> str | None:
    """Return why bubblewrap cannot be used here, with what to do about it; ``None`` if it can be tried."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if "bwrap" in missing:
        return "bwrap is not installed; install the package bubblewrap of your system"
    return f"{missing[0]} is not installed; install the package util-linux" if missing else None


def start_bubblewrap(command: Command, room: Room) -> Start:
    """Return how to start a command in bubblewrap.

    Raises:
        UserError: More is to be hidden than can be.
    """
    arguments = [*_isolate(room), *_show_system(command, room), *_show_places(command, room)]
    environment = choose_environment(command, "/tmp")
    # Hundreds of hidden masks may not fit into a command line, and others could read it.
    os.pwrite(room.arguments, b"".join(os.fsencode(argument) + b"\0" for argument in arguments), 0)
    inner = [*_become_user(command, room), *command.arguments]
    return Start(
        [str(shutil.which("bwrap")), "--args", str(room.arguments), "--", *inner],
        environment,
        temporary=TEMPORARY,
        kept_files=(room.arguments, room.status),
        wrappers=_WRAPPERS,
    )


def _isolate(room: Room) -> Iterator[str]:
    yield from ("--die-with-parent", "--new-session", "--json-status-fd", str(room.status))
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--hostname", USER_NAME, "--cap-drop", "ALL")
    if room.uid is None:
        yield "--unshare-user"
        yield from _forbid_namespaces()
    else:
        for capability in ("SETUID", "SETGID", "SETPCAP"):
            yield from ("--cap-add", f"CAP_{capability}")


@functools.cache
def _forbid_namespaces() -> tuple[str, ...]:
    """Return the option by which a command can make no namespaces of its own; bubblewrap has it since 0.8."""
    listing = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False).stdout
    return ("--disable-userns",) if "--disable-userns" in listing else ()


def _show_system(command: Command, room: Room) -> Iterator[str]:
    for folder in map(Path, SYSTEM_FOLDERS):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    uid = os.getuid() if room.uid is None else room.uid
    gid = os.getgid() if room.uid is None else room.uid
    for name, line in (("passwd", f"{USER_NAME}:x:{uid}:{gid}::/tmp:/bin/sh"), ("group", f"{USER_NAME}:x:{gid}:")):
        (room.folder / name).write_text(f"{line}\n", encoding="utf-8")
        yield from ("--ro-bind", str(room.folder / name), f"/etc/{name}")
    yield from ("--ro-bind-try", "/sys/devices/system", "/sys/devices/system")
    yield from _make_parents(Path(_INNER))
    yield from ("--ro-bind", str(shutil.which("bwrap")), _INNER)
    size = str(int(command.limits.disk_bytes))
    yield from ("--proc", "/proc", "--dev", "/dev")
    for temporary in TEMPORARY:
        yield from ("--perms", "1777", "--size", size, "--tmpfs", temporary)
    yield from ("--remount-ro", "/dev")


def _show_places(command: Command, room: Room) -> Iterator[str]:
    for place in sorted(command.places, key=lambda place: len(place.seen_at.parts)):
        yield from _make_parents(place.seen_at)
        yield from ("--bind" if place.writable else "--ro-bind", os.path.realpath(place.outside), str(place.seen_at))
    nothing = room.folder / "nothing"
    nothing.touch(mode=0o000)
    hidden = command.find_hidden()
    if len(hidden) > _MOST_HIDDEN:
        raise UserError(
            f"{len(hidden)} hidden files and folders: bubblewrap hides {_MOST_HIDDEN} in reasonable time; put what the "
            "script may read into a folder of its own, or hide whole folders"
        )
    for outside, inside in hidden:
        if outside.is_dir():
            yield from ("--perms", "0000", "--tmpfs", str(inside), "--remount-ro", str(inside))
        else:
            yield from ("--ro-bind", str(nothing), str(inside))
    yield from ("--remount-ro", "/", "--chdir", str(command.folder))


def _make_parents(path: Path) -> Iterator[str]:
    """Yield what makes the folders above a path; left to itself, bubblewrap makes them for their owner only."""
    for parent in reversed(path.parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))


def _become_user(command: Command, room: Room) -> Iterator[str]:
    """Yield the programs by which a command loses what privileges are left, each of which starts the next."""
    limit = int(command.limits.processes) + _WRAPPERS
    yield from (str(shutil.which("prlimit")), f"--nproc={limit}:{limit}", "--")
    if room.uid is not None:
        user = f"{room.uid}"
        yield from (str(shutil.which("setpriv")), "--reuid", user, "--regid", user, "--clear-groups")
        yield from ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")
        if _can_nest():
            yield from _nest(_INNER)


def _nest(program: str) -> tuple[str, ...]:
    return (program, "--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--")


@functools.cache
def _can_nest() -> bool:
    """Return whether a user without privileges can start bubblewrap here to give up making namespaces."""
    if not _forbid_namespaces():
        return False
    become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs", "--"]
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(
            [*become, *_nest(str(shutil.which("bwrap"))), "true"], capture_output=True, cwd=folder, check=False
        )
    return tried.returncode == 0


def forbids_namespaces() -> bool:
    """Return whether a command in bubblewrap can make no namespaces here, in which it could mount file systems."""
    return _can_nest() if os.geteuid() == 0 else bool(_forbid_namespaces())


def has_begun(room: Room) -> bool:
    """Return whether the sandbox was made and its command ended itself, which bubblewrap then reports."""
    return b'"exit-code"' in os.pread(room.status, 65536, 0)
