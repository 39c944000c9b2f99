"""Whether a sandbox keeps its promises on this computer, shown by trying to break each of them."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from llmseg.admission.sandbox.command import Command, Limits, Place, python_places
from llmseg.admission.sandbox.ladder import choose_rung
from llmseg.admission.sandbox.outcome import Outcome
from llmseg.admission.sandbox.run import run_on_rung
from llmseg.admission.sandbox.rungs import PROMISES, Rung
from llmseg.admission.sandbox.trials import KNOWN_GOOD, TRIALS, Trial
from llmseg.errors import UserError, nearest

KNOWN_GOOD_NAME = "a sound training runs"
"""What is checked besides the promises: whoever contains everything by running nothing would keep them all."""


@dataclass(frozen=True)
class Check:
    """Whether one promise holds.

    Attributes:
        promise: The promise, or :data:`KNOWN_GOOD_NAME`.
        holds: Whether it holds.
        evidence: What was seen.

    Example:
        >>> Check("network", True, "3 ways were tried").holds
        True
    """

    promise: str
    holds: bool
    evidence: str


@dataclass(frozen=True)
class Conformance:
    """What a sandbox contains on this computer.

    Attributes:
        rung: Its name.
        checks: What was tried.
        not_contained: What it does not promise.
    """

    rung: str
    checks: tuple[Check, ...]
    not_contained: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything holds that the sandbox promises, so that verdicts can be trusted."""
        return all(check.holds for check in self.checks)

    def __str__(self) -> str:
        lines = [f"sandbox: {self.rung}"]
        lines += [
            f"{'holds ' if check.holds else 'BROKEN'}  {check.promise}: {check.evidence}" for check in self.checks
        ]
        return "\n".join([*lines, *(f"not contained: {promise}" for promise in self.not_contained)])


@dataclass(frozen=True)
class Ground:
    """Where trials take place: what a command may see, what it may not, and who would notice.

    Attributes:
        folder: A folder for this alone.
        victim: A process that a command must not reach.
        port: The port of this computer at which ``calls`` are noted.
        calls: Who has called.
        token: A word that is in no other file or process.
    """

    folder: Path
    victim: subprocess.Popen[bytes]
    port: int
    calls: list[str]
    token: str

    @property
    def names(self) -> dict[str, object]:
        """What scripts are told."""
        data, outside = self.folder / "data", self.folder / "outside"
        return {
            "outside": str(outside),
            "canary": str(outside / "canary.txt"),
            "data": str(data),
            "shown": str(data / "shown.txt"),
            "mask": str(data / "mask.txt"),
            "masks": str(data / "masks"),
            "victim": self.victim.pid,
            "port": self.port,
            "abstract": self.token,
        }


def check_sandbox(rung: str | None = None, promises: tuple[str, ...] | None = None) -> Conformance:
    """Try to break each promise of a sandbox on this computer; a minute.

    Args:
        rung: Its name; ``None`` for the best one that this computer has.
        promises: What is tried, words of :data:`llmseg.admission.PROMISES` or :data:`KNOWN_GOOD_NAME`; ``None`` for
            everything that it promises.

    Raises:
        UserError: This computer has no such sandbox, or there is no such promise.

    Example:
        >>> check_sandbox(promises=("netwrok",))
        Traceback (most recent call last):
        llmseg.errors.UserError: no sandbox promises 'netwrok'; did you mean 'network'?
    """
    known = {KNOWN_GOOD_NAME, *PROMISES}
    unknown = next((promise for promise in promises or () if promise not in known), None)
    if unknown is not None:
        raise UserError(f"no sandbox promises {unknown!r}{nearest(unknown, known)}")
    chosen = choose_rung(rung)
    wanted = {KNOWN_GOOD_NAME, *chosen.promises} if promises is None else set(promises)
    checks = [_check_known_good(chosen)] if KNOWN_GOOD_NAME in wanted else []
    checks += [_check(chosen, trial) for trial in TRIALS if trial.promise in wanted]
    return Conformance(chosen.name, tuple(checks), chosen.not_contained)


def _check_known_good(rung: Rung) -> Check:
    with _prepare_ground() as ground:
        outcome = _run(ground, rung, KNOWN_GOOD, Limits(seconds=300, cpu_seconds=300, memory_bytes=4 * 2**30))
    holds = outcome.is_finished and outcome.results.kinds == ("weights", "masks", "numbers") and not outcome.faults
    return Check(KNOWN_GOOD_NAME, holds, str(outcome) if holds else f"{outcome}; {outcome.tail[-300:]!r}")


def _check(rung: Rung, trial: Trial) -> Check:
    """Return whether a promise holds, from what the script says, how it ended, and what it left on this computer."""
    with _prepare_ground() as ground:
        before = _read_state(ground)
        outcome = _run(ground, rung, trial.fill_in(ground.names), trial.limits, trial.promise)
        damage = _find_damage(ground, before)
    said = [line for line in outcome.output.splitlines() if line.startswith("BROKEN")]
    ended = outcome.limit == trial.ended_by_limit if trial.ended_by_limit else outcome.is_finished
    if trial.promise == "links" and len(outcome.results.removed) != 4:
        damage.append(f"links taken out: {', '.join(map(str, outcome.results.removed))}")
    holds = ended and not said and not damage and not outcome.faults
    return Check(trial.promise, holds, str(outcome) if holds else "; ".join([*damage, *said[:3], str(outcome)]))


def _run(ground: Ground, rung: Rung, script: str, limits: Limits, promise: str = "") -> Outcome:
    work, data = ground.folder / "work", ground.folder / "data"
    (work / "script.py").write_text(script, encoding="utf-8")
    moved = Path("/content/drive/data") if promise == "moved places" else None
    places = (Place(work, writable=True), Place(data, moved), *python_places())
    hidden = (data / "mask.txt", data / "masks") if promise == "hidden files" else ()
    command = Command((sys.executable, "script.py", ground.token), work, places, hidden, limits=limits)
    return run_on_rung(command, rung)


@contextmanager
def _prepare_ground() -> Iterator[Ground]:
    """Give the block a ground, and remove it."""
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as name, _listen(token) as (port, calls):
        folder = Path(name)
        folder.chmod(0o711)
        for inner in ("work", "outside", "data/masks/inner"):
            (folder / inner).mkdir(parents=True)
        # What a sandbox does not stop, permissions shall not stop either.
        (folder / "outside").chmod(0o777)
        for file in ("outside/canary.txt", "data/mask.txt", "data/masks/a.txt", "data/masks/inner/b.txt"):
            (folder / file).write_text(token, encoding="utf-8")
            (folder / file).chmod(0o666)
        (folder / "data" / "shown.txt").write_text("shown", encoding="utf-8")
        victim = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
        try:
            yield Ground(folder, victim, port, calls, token)
        finally:
            victim.kill()
            victim.wait()


@contextmanager
def _listen(name: str) -> Iterator[tuple[int, list[str]]]:
    """Give the block a port of this computer and a list of who calls there, or at an abstract socket of a name."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
        port = stream.getsockname()[1]
        packets.bind(("127.0.0.1", port))
        listeners: list[socket.socket] = [stream, packets]
        if sys.platform == "linux":
            listeners.append(socket.socket(socket.AF_UNIX))
            listeners[-1].bind(f"\0{name}")
            listeners[-1].listen()
        for listener in listeners:
            threading.Thread(target=_note_calls, args=(listener, calls), daemon=True).start()
        try:
            yield port, calls
        finally:
            for listener in listeners:
                with suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
                listener.close()


def _note_calls(listener: socket.socket, calls: list[str]) -> None:
    with suppress(OSError):
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(16)
            calls.append("packet")
            return
        with listener.accept()[0] as caller:
            calls.append("connection")
            caller.sendall(b"hello")


def _read_state(ground: Ground) -> dict[str, bytes]:
    """Return all files outside of the folder that a command may write to."""
    folders = [ground.folder / name for name in ("outside", "data")]
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def _find_damage(ground: Ground, before: dict[str, bytes]) -> list[str]:
    """Return what a command did that it should not have been able to, in words."""
    work = ground.folder / "work"
    damage = [f"{call} reached this computer" for call in ground.calls]
    if _read_state(ground) != before:
        damage.append("files outside were changed")
    if ground.victim.poll() is not None:
        damage.append("a process outside was ended")
    damage += [f"{path.name} is a link or a special file" for path in work.rglob("*") if _is_special(path)]
    token = ground.token.encode()
    damage += [f"{path.name} holds what was hidden" for path in work.rglob("*") if _holds(path, token)]
    heartbeat = work / "heartbeat.txt"
    size = heartbeat.stat().st_size if heartbeat.exists() else 0
    if size:
        time.sleep(0.2)
    if size and heartbeat.stat().st_size > size:
        damage.append("a process went on")
    return [*damage, *(f"process {pid} is left" for pid in _find_left(ground.token))]


def _is_special(path: Path) -> bool:
    return path.is_symlink() or not (path.is_file() or path.is_dir())


def _holds(path: Path, token: bytes) -> bool:
    return path.is_file() and path.stat().st_size < 2**20 and path.name != "script.py" and token in path.read_bytes()


def _find_left(token: str) -> Iterator[int]:
    """Yield the processes that have a token in their command line."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and token in process.cmdline():
                yield process.pid
