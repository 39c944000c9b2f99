"""The process between this library and a foreign command: it starts it, and ends all that is left of it.

It is started by its path, as ``python -I -S keeper.py PLAN REPORT``, both numbers of open files, and needs nothing but
the standard library. Processes that lose their parent become its children, so none escapes by leaving. When it is told
to end (``TERM``), or when the library dies, it ends them all, and in that case clears up.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38

NOT_STARTED = 125
"""Exit code of a command that could not be started."""


def main() -> None:
    plan_file, report = (int(number) for number in sys.argv[1:])
    with os.fdopen(plan_file, encoding="utf-8") as file:
        plan = json.load(file)
    library = os.getppid()
    _set(_PR_SET_CHILD_SUBREAPER, 1)
    lost: list[int] = []  # the signal that says that the library died

    def note_death(number: int, _: object) -> None:
        lost.append(number)
        end_all(plan["uid"])

    signal.signal(signal.SIGUSR1, note_death)
    signal.signal(signal.SIGTERM, lambda *_: end_all(plan["uid"]))
    _set(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        os.close(report)
        _start(plan)
    status = _wait(child)
    end_all(plan["uid"])
    if _has_died(library, 5 if lost else 0):
        _clear_up(plan)
        return
    with os.fdopen(report, "w", encoding="utf-8") as file:
        json.dump({"code": os.waitstatus_to_exitcode(status)}, file)


def _has_died(library: int, seconds: float) -> bool:
    """Return whether the library has died within some seconds.

    Its threads end one after the other. Until the last has, this process is the child of another one of them, and has
    the same parent.
    """
    deadline = time.monotonic() + seconds
    while os.getppid() == library and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.getppid() != library


def _set(option: int, value: int) -> None:
    """Set something about this process that only Linux knows."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _start(plan: dict[str, Any]) -> None:
    """Become the command: join its control groups, take its limits, drop privileges, and start it."""
    try:
        for group in plan["groups"]:
            Path(group, "cgroup.procs").write_text("0")
        with suppress(OSError):
            # If memory runs out, this is what the system ends first.
            Path("/proc/self/oom_score_adj").write_text("1000")
        for name, value in plan["resources"].items():
            most = resource.getrlimit(getattr(resource, name))[1]
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(getattr(resource, name), (value, value))
        os.nice(plan["niceness"])
        run = _confine(plan["landlock"]) if plan["landlock"] else None
        if plan["drop"]:
            os.setgroups([])
            os.setresgid(plan["uid"], plan["uid"], plan["uid"])
            os.setresuid(plan["uid"], plan["uid"], plan["uid"])
            _set(_PR_SET_PDEATHSIG, signal.SIGKILL)
            _set(_PR_SET_NO_NEW_PRIVS, 1)
        if plan["folder"]:
            os.chdir(plan["folder"])
        if run is not None:
            os._exit(run(plan["arguments"]))
        os.execvpe(plan["arguments"][0], plan["arguments"], plan["environment"])
    except BaseException as error:
        print(f"keeper: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(NOT_STARTED)


def _confine(landlock: dict[str, Any]) -> Any:
    """Return a function that runs arguments under sandlock and gives the exit code."""
    sys.path += landlock["packages"]
    from sandlock import Sandbox

    sandbox = Sandbox(**landlock["rules"], clean_env=True)

    def run(arguments: list[str]) -> int:
        result = sandbox.popen(arguments).wait()
        return int(128 + result.signal if result.signal > 0 else result.exit_code % 256)

    return run


def _wait(child: int) -> int:
    """Return the status with which a child ended; of others that became ours, forget it."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.wait()
            if pid == child:
                return status
    # It was ended because this process was told to end.
    return signal.SIGKILL


def end_all(uid: int | None) -> None:
    """End every process below this one, and every process of a user that exists for this command alone."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if uid is not None:
            _end_user(uid)
        left = list(descendants(os.getpid()))
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def _end_user(uid: int) -> None:
    """End all processes of a user in one step, so that none can fork in the meantime."""
    killer = os.fork()
    if killer == 0:
        with suppress(OSError):
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(killer, 0)


def _clear_up(plan: dict[str, Any]) -> None:
    """Remove what the library would have removed, had it not been killed."""
    shutil.rmtree(plan["room"], ignore_errors=True)
    for group in map(Path, plan["groups"]):
        deadline = time.monotonic() + 5
        while group.exists() and time.monotonic() < deadline:
            # A process that was just killed leaves its group a moment later.
            with suppress(OSError):
                group.rmdir()
            time.sleep(0.01)


def descendants(pid: int) -> Iterator[int]:
    """Yield the numbers of all processes below one, parents before children."""
    children = _list_children()
    left = children.get(pid, [])
    while left:
        yield from left
        left = [grandchild for child in left for grandchild in children.get(child, [])]


def _list_children() -> dict[int, list[int]]:
    """Return the children of every process of this computer."""
    children: dict[int, list[int]] = {}
    for pid, parent in _list_parents():
        children.setdefault(parent, []).append(pid)
    return children


def _list_parents() -> Iterator[tuple[int, int]]:
    """Yield (process, parent) of every process that is no zombie."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        yield from ((int(pid), int(parent)) for pid, parent in (line.split() for line in listing.splitlines()))
        return
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(process.name), int(parent)


if __name__ == "__main__":
    main()
