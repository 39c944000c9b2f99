"""Running a command on a rung: its folders are lent to it, it is watched, ended, and what it wrote is taken back."""

from __future__ import annotations

import json
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from llmseg.admission.sandbox import bubblewrap, keeper
from llmseg.admission.sandbox.cgroups import Group, make_group
from llmseg.admission.sandbox.command import Command
from llmseg.admission.sandbox.files import (
    TooDeepError,
    find_unreadable,
    give_to,
    list_changed,
    list_states,
    take_back,
)
from llmseg.admission.sandbox.outcome import Outcome, read_ending
from llmseg.admission.sandbox.results import Results, sort_results
from llmseg.admission.sandbox.rungs import Rung
from llmseg.admission.sandbox.start import Room, Start, choose_user
from llmseg.admission.sandbox.watch import Usage, Watch, choose_resources
from llmseg.errors import UserError

_PAUSE = 0.05
_NICENESS = 5
_PATIENCE = 15.0

_COMPLAINT = re.compile(r"(bwrap|setpriv|prlimit|keeper): .*")

_REFUSALS = {
    "OSError: [Errno 27]": "disk",
    "OSError: [Errno 28]": "disk",
    "BlockingIOError: [Errno 11]": "processes",
    "RuntimeError: can't start new thread": "processes",
}
"""How exceptions begin that a script sees when it reaches a limit that the kernel holds."""


@dataclass
class _Lent:
    """A folder that a command may write to, as it was before."""

    folder: Path
    owner: os.stat_result
    before: dict[str, tuple[int, int]]


@dataclass
class _Ended:
    """How a process under the keeper ended."""

    output: str
    code: int | None
    limit: str | None
    fault: str | None
    usage: Usage


def run_on_rung(command: Command, rung: Rung) -> Outcome:
    """Run a command on a rung, and return what came of it.

    Args:
        command: The command.
        rung: The rung, which can be used here.

    Raises:
        UserError: The rung cannot do what the command needs, such as hide a file.
    """
    with _make_room() as room, _make_group(rung) as group:
        _check_readable(command, room)
        start = rung.start(command, room)
        lent: list[_Lent] = []
        try:
            for place in command.writable:
                lent.append(_lend(place.outside, room.uid))
            ended = _run(command, start, room, group)
        finally:
            results, faults = _take_back_all(lent)
        ending = _name_ending(command, start, room, ended)
    ending = replace(ending, rung=rung.name, not_contained=rung.not_contained)
    return replace(ending, results=results, faults=(*ending.faults, *faults))


def _check_readable(command: Command, room: Room) -> None:
    """Refuse places that the user who exists for this command cannot read; the script would get the blame."""
    ours = {Path(sys.prefix), Path(sys.base_prefix)}  # thousands of files, which whoever installs makes readable
    for place in command.places if room.uid is not None else ():
        unreadable = None if place.writable or place.outside in ours else find_unreadable(place.outside)
        if unreadable is not None:
            raise UserError(
                f"{unreadable}: scripts run as a user without rights, who cannot read it; run: "
                f"chmod -R a+rX {shlex.quote(str(place.outside))}"
            )


@contextmanager
def _make_room() -> Iterator[Room]:
    """Give the block a folder for one command, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="llmseg-sandbox-"))
    files = [os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600) for name in ("arguments", "status")]
    room = Room(folder, choose_user(), *files)
    # Another user has to come through it.
    folder.chmod(0o711)
    room.temporary.mkdir(mode=0o700)
    if room.uid is not None:
        os.chown(room.temporary, room.uid, room.uid)
    try:
        yield room
    finally:
        for file in files:
            os.close(file)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _make_group(rung: Rung) -> Iterator[Group | None]:
    """Give the block a control group if the rung has one, and remove it."""
    group = make_group() if rung.has_group else None
    try:
        yield group
    finally:
        if group is not None:
            group.remove()


def _lend(folder: Path, uid: int | None) -> _Lent:
    owner = folder.stat()
    if uid is not None:
        give_to(folder, uid)
    return _Lent(folder, owner, list_states(folder))


def _take_back_all(lent: list[_Lent]) -> tuple[Results, tuple[str, ...]]:
    """Return what is new in the folders that were lent, and what went wrong while they were taken back."""
    places: list[tuple[Path, list[PurePosixPath], list[PurePosixPath]]] = []
    faults = []
    for one in lent:
        try:
            removed = take_back(one.folder, one.owner)
            places.append((one.folder, list(list_changed(one.folder, one.before)), removed))
        except (OSError, TooDeepError) as error:
            faults.append(f"{one.folder} could not be taken back as a whole: {error}")
    return sort_results(places), tuple(faults)


def _run(command: Command, start: Start, room: Room, group: Group | None) -> _Ended:
    """Start the keeper with a command, and watch until both have ended."""
    if group is not None:
        group.set_limits(int(command.limits.memory_bytes), int(command.limits.processes) + start.wrappers)
    killed_before = _count_killed_by_system()
    report, reported = os.pipe()
    with os.fdopen(report, "rb") as answer, tempfile.TemporaryFile("w+", encoding="utf-8") as plan:
        json.dump(_plan(command, start, room, group), plan)
        plan.flush()
        plan.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, str(plan.fileno()), str(reported)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"HOME": str(room.temporary)},
            start_new_session=True,
            pass_fds=(plan.fileno(), reported, *start.kept_files),
        )
        os.close(reported)
        output = bytearray()
        limit = fault = None
        try:
            folders = [*(place.outside for place in command.writable), room.temporary]
            watch = Watch(
                process.pid, command.limits, folders, start.temporary, group, start.wrappers, start.has_supervisor
            )
            limit, fault = _watch(process, watch, output)
        finally:
            _end(process, group, room)
        _drain(process, output, int(command.limits.output_bytes))
        code = json.loads(answer.read() or b"{}").get("code")
    limit = limit or watch.look_last()
    if fault is None and code in (-signal.SIGKILL, 128 + signal.SIGKILL) and limit is None:
        fault = "this computer ran out of memory" if _count_killed_by_system() > killed_before else None
    text = output[: int(command.limits.output_bytes)].decode(errors="replace")
    return _Ended(text, code, limit, fault, watch.usage)


def _plan(command: Command, start: Start, room: Room, group: Group | None) -> dict[str, Any]:
    return {
        "arguments": start.arguments,
        "environment": start.environment,
        "folder": start.folder,
        "room": str(room.folder),
        "uid": room.uid,
        "drop": start.drops,
        "groups": sorted({str(folder) for folder in group.folders.values()}) if group is not None else [],
        "resources": {**choose_resources(command.limits), **start.resources},
        "niceness": _NICENESS,
        "landlock": start.landlock,
    }


def _watch(process: subprocess.Popen[bytes], watch: Watch, output: bytearray) -> tuple[str | None, str | None]:
    """Read what a command prints until it ends; return (the limit that it reached, what else is a reason to end it)."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while process.poll() is None:
            until = time.monotonic() + _PAUSE
            while (left := until - time.monotonic()) > 0 and len(output) < watch.limits.output_bytes:
                if not selector.get_map():
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(left)
                    break
                if selector.select(left) and not _read_some(process.stdout.fileno(), output):
                    selector.unregister(process.stdout)
            limit, danger = watch.look(len(output)), watch.find_danger()
            if limit is not None or danger is not None:
                return limit, danger
    return None, None


def _read_some(file: int, output: bytearray) -> bool:
    """Add what can be read to an output, and return whether there may be more."""
    piece = os.read(file, 65536)
    output += piece
    return bool(piece)


def _end(process: subprocess.Popen[bytes], group: Group | None, room: Room) -> None:
    """End the keeper and all that it started."""
    if group is not None and process.poll() is None:
        group.end_all()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
    if process.poll() is None:
        left = [process.pid, *keeper.descendants(process.pid)]
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _drain(process: subprocess.Popen[bytes], output: bytearray, most: int) -> None:
    """Read what is left in the pipe; all who could write into it have ended."""
    assert process.stdout is not None
    with process.stdout as pipe:
        os.set_blocking(pipe.fileno(), False)
        with suppress(BlockingIOError):
            while len(output) < most and _read_some(pipe.fileno(), output):
                pass


def _count_killed_by_system() -> int:
    """Return how many processes the kernel has killed because this computer ran out of memory."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("oom_kill ")))
    return 0


def _name_ending(command: Command, start: Start, room: Room, ended: _Ended) -> Outcome:
    """Return an outcome that lacks only what the command wrote."""
    if ended.fault is not None and ended.limit is None:
        ending = Outcome("harness", faults=(ended.fault,))
    elif ended.limit is not None:
        ending = Outcome("limit", limit=ended.limit)
    elif ended.code is not None and not _has_begun(start, room, ended):
        ending = Outcome("harness", faults=(f"the command could not be started: {ended.output.strip()[-500:]}",))
    else:
        ending = read_ending(ended.code, ended.output, [command.folder, *(place.seen_at for place in command.writable)])
        refused = next((limit for text, limit in _REFUSALS.items() if (ending.exception or "").startswith(text)), None)
        if refused is not None:
            ending = Outcome("limit", limit=refused)
    return replace(ending, usage=ended.usage, output=ended.output)


def _has_begun(start: Start, room: Room, ended: _Ended) -> bool:
    """Return whether the command itself ran; what the programs that start it say begins with their names."""
    if ended.code == keeper.NOT_STARTED or (room.status in start.kept_files and not bubblewrap.has_begun(room)):
        return False
    return not (ended.code and _COMPLAINT.fullmatch(ended.output.strip()))
