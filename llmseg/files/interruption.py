"""What a command does when it is told to stop: Ctrl-C, a scheduler's notice, a terminal that is closed.

A command ends at once, with one line and without what it had half written. The handler ends the process itself. An
exception would have to pass through libraries that swallow it, or that hold files open that must not be closed halfway.
A training asks for more: it finishes its step and writes a checkpoint, see :func:`collect_notices`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

_NAMES = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP: the terminal was closed"}
_SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
"""The signals that ask a process to end. Windows has no SIGHUP."""

_REPEAT = 1.0
"""Seconds within which a second SIGINT counts as the first: ``torchrun`` passes on what the terminal sent already."""

_discarded: set[Path] = set()
_ending = threading.Event()


def describe_signal(signum: int) -> str:
    """Return what a signal is called in a message.

    Example:
        >>> describe_signal(signal.SIGINT)
        'Ctrl-C'
    """
    return _NAMES.get(signal.Signals(signum).name, f"signal {signum}")


def discard_at_end(path: Path) -> Path:
    """Note a temporary file or folder that is to be removed if a signal ends the process; return it."""
    if _ending.is_set():
        # A thread that goes on while the process ends would write a file that nobody removes.
        threading.Event().wait()
    _discarded.add(path.absolute())
    return path


def keep_at_end(path: Path) -> None:
    """Forget what :func:`discard_at_end` noted."""
    _discarded.discard(path.absolute())


@contextmanager
def end_on_signals(print_line: Callable[[str], object]) -> Iterator[None]:
    """Let the signals that ask a process to end do so for the block, with one line and exit code 128 + signal.

    Signals that were ignored before stay so: ``nohup`` relies on it.

    Args:
        print_line: Prints a line for the user.
    """
    owner = os.getpid()

    def end(signum: int, _: FrameType | None) -> None:
        if os.getpid() == owner:
            for other in _SIGNALS:  # what follows takes a moment, and must not start again
                signal.signal(other, signal.SIG_IGN)
            _ending.set()
            threading.excepthook = lambda _: None  # a thread whose file is taken away has nothing to tell any more
            _discard()
            with suppress(Exception):  # the terminal may be gone, or in the middle of another line
                print_line(f"stopped by {describe_signal(signum)}; give the same command again to go on")
                sys.stderr.flush()
            time.sleep(0.05)
            _discard()  # what a thread has made in the meantime that was just about to
        os._exit(128 + signum)

    with _handlers(end):
        yield


@contextmanager
def collect_notices() -> Iterator[list[int]]:
    """Catch the signals that ask a process to end; give a list that they are added to.

    So a training can finish its step and write a checkpoint. A second Ctrl-C does what the first would have done
    outside of the block. So does a signal that came so late that the block ended without an exception.
    """
    received: list[int] = []
    first = 0.0

    def collect(signum: int, _: FrameType | None) -> None:
        nonlocal first
        again = signum == signal.SIGINT and signum in received
        if not again:
            received.append(signum)
            first = time.monotonic()
            if signum == signal.SIGINT and sys.stderr is not None and sys.stderr.isatty():
                print("\nllmseg: stopping after this step; Ctrl-C again ends at once", file=sys.stderr)
        elif os.environ.get("WORLD_SIZE", "1") == "1" or time.monotonic() - first > _REPEAT:
            signal.signal(signum, before[signum])
            signal.raise_signal(signum)

    with _handlers(collect) as before:
        yield received
    if received:
        signal.raise_signal(received[0])


@contextmanager
def _handlers(handler: Callable[[int, FrameType | None], None]) -> Iterator[dict[int, Any]]:
    """Set what happens on the signals for the block; give what would have happened."""
    before: dict[int, Any] = {}
    # Python lets only the main thread set what happens on a signal.
    if threading.current_thread() is threading.main_thread():
        before = {signum: signal.getsignal(signum) for signum in _SIGNALS}
    kept = {signum: earlier for signum, earlier in before.items() if earlier not in (signal.SIG_IGN, None)}
    for signum in kept:
        signal.signal(signum, handler)
    try:
        yield before
    finally:
        for signum, earlier in kept.items():
            signal.signal(signum, earlier)


def _discard() -> None:
    for path in tuple(_discarded):  # other threads may add to it
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
