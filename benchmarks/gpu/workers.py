"""Working through the items of a stage, in processes that may crash, hang or run out of time.

The process that writes the results never touches the GPU. Every item runs in a worker, which is forked from it with
everything imported. A worker keeps the GPU from item to item; one whose item failed ends, because a GPU that met an
error may answer nothing else in that process.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from budget import Span
from results import StageResults

import llmseg

FORK = multiprocessing.get_context("fork")
"""Forked processes have all modules already; the GPU is touched in them only."""

LEAST_PATIENCE = 60.0
"""Seconds that every item may take, however short it was estimated."""

Value = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """A piece of a stage that is done as a whole, or done again.

    Attributes:
        name: Its name in the file of the stage.
        seconds: How long it will take; it is begun only if that much time is left.
        work: Does it and returns its value, or yields a value as often as there is a new one. A value with something
            under ``left`` says that the item is not finished.
        limit: Seconds after which it is ended; ``None`` for some times the estimate.
    """

    name: str
    seconds: float
    work: Callable[[], Value | Iterator[Value]]
    limit: float | None = None

    def find_limit(self, patience: float) -> float:
        """Return the seconds after which it is ended, where items may take so many times as long as was estimated."""
        return max(LEAST_PATIENCE, patience * self.seconds) if self.limit is None else self.limit


def list_open(items: Sequence[Item], results: StageResults) -> list[Item]:
    """Return the items that are to be done: those that were never tried first, then those that failed before."""
    left = [item for item in items if not results.is_done(item.name)]
    return sorted(left, key=lambda item: item.name in results.errors)


def run_items(items: Sequence[Item], results: StageResults, span: Span, code: str, workers: int = 1) -> None:
    """Work through the items of a stage that are not done, as far as the time goes; each is noted when it ends.

    Args:
        items: The items, the most important first.
        results: Where they are noted.
        span: The time of the stage.
        code: Digest of the code that is measured, which is noted with every item.
        workers: How many items run at once.
    """
    waiting, crew = list_open(items, results), [_Worker(workers) for _ in range(workers)]
    results.left = [item.name for item in items if not results.is_done(item.name)]
    results.write()
    try:
        while True:
            for worker in crew:
                if worker.item is None:
                    worker.begin(_take_next(waiting, span))
            busy = [worker for worker in crew if worker.item is not None]
            if not busy:
                break
            _wait(busy, span)
            for worker in busy:
                _hear(worker, results, span, code)
    finally:
        for worker in crew:
            worker.end()


def _take_next(waiting: list[Item], span: Span) -> Item | None:
    """Take the first item that fits into the time that is left."""
    for index, item in enumerate(waiting):
        if span.fits(item.seconds):
            return waiting.pop(index)
    return None


def _wait(busy: Sequence[_Worker], span: Span) -> None:
    """Wait until a worker says something or dies, or until one is overdue."""
    heard: list[Any] = [channel for worker in busy for channel in worker.channels]
    overdue = min(worker.ends(span) for worker in busy)
    multiprocessing.connection.wait(heard, max(0.0, overdue - time.monotonic()))


def _hear(worker: _Worker, results: StageResults, span: Span, code: str) -> None:
    """Note what a worker has to say; end it if it is overdue or dead."""
    item, seconds = worker.item, time.monotonic() - worker.began
    if item is None:
        return
    said = worker.listen()
    for kind, value in said:
        if kind == "error":
            results.fail(item.name, value, seconds, code)
            worker.end()
        else:
            results.keep(item.name, value, seconds, code)
        if kind != "part":
            worker.item = None
            print(f"  {item.name}: {'failed: ' + value if kind == 'error' else 'done'} ({seconds:.1f} s)", flush=True)
            return
    if not said and not worker.is_alive:
        _give_up(worker, results, f"its process died with exit code {worker.exit_code}", seconds, code)
    elif time.monotonic() >= span.last:
        # The whole sitting is over: nobody is to blame, and the item is done in the next one.
        print(f"  {item.name}: not finished, the time is up ({seconds:.1f} s)", flush=True)
        worker.end()
    elif time.monotonic() >= worker.ends(span):
        why = f"it was ended after {seconds:.0f} s; {item.seconds:.0f} s were estimated"
        _give_up(worker, results, why, seconds, code)


def _give_up(worker: _Worker, results: StageResults, why: str, seconds: float, code: str) -> None:
    if worker.item is not None:
        print(f"  {worker.item.name}: failed: {why}", flush=True)
        results.fail(worker.item.name, why, seconds, code)
    worker.end()


class _Worker:
    """A process that does one item after the other; it is made when it is needed, and made again when it died.

    Attributes:
        item: What it works on, if anything.
        began: When it began that.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.item: Item | None = None
        self.began = 0.0
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def begin(self, item: Item | None) -> None:
        """Let it work on an item."""
        if item is None:
            return
        if self._process is None:
            self._pipe, theirs = FORK.Pipe()
            self._process = FORK.Process(target=_serve, args=(theirs, os.getpid(), self.at_once))
            self._process.start()
            theirs.close()
        assert self._pipe is not None
        self.item, self.began = item, time.monotonic()
        self._pipe.send(item.work)

    @property
    def channels(self) -> tuple[Any, ...]:
        """What becomes ready when it says something or dies."""
        return () if self._process is None else (self._pipe, self._process.sentinel)

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """What its process ended with; below 0 for a signal."""
        return None if self._process is None else self._process.exitcode

    def ends(self, span: Span) -> float:
        """Return when it is to be ended."""
        return span.last if self.item is None else min(span.last, self.began + self.item.find_limit(span.patience))

    def listen(self) -> list[tuple[str, Any]]:
        """Return what it has said since."""
        said: list[tuple[str, Any]] = []
        try:
            while self._pipe is not None and self._pipe.poll():
                said.append(self._pipe.recv())
        except (EOFError, OSError):
            pass  # it died; what it had said before counts
        return said

    def end(self) -> None:
        """End its process, with all that it started."""
        if self._process is not None and self._pipe is not None:
            self._process.terminate()
            self._process.join(5)
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self.item, self._process, self._pipe = None, None, None


def _serve(pipe: Connection, parent: int, at_once: int) -> None:
    """Do what comes through a pipe, until an item fails."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // at_once))
    while True:
        work: Callable[[], Value | Iterator[Value]] = pipe.recv()
        try:
            value = work()
            if not isinstance(value, Mapping):
                for part in value:
                    pipe.send(("part", dict(part)))
                    value = part
            pipe.send(("done", value))
        except llmseg.UserError as error:  # it says all there is to say
            pipe.send(("error", str(error)))
            return
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            pipe.send(("error", describe_error(error)))
            return


def describe_error(error: BaseException) -> str:
    """Return the kind of an error and the first line of its message."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def die_with_parent(parent: int) -> None:
    """Let the system kill this process when its parent dies, so that nothing goes on behind the results."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux has it
    if prctl is not None:
        prctl(1, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def run_forked(work: Callable[[], Any], seconds: float) -> Any:
    """Return what a function gives in a process of its own, so that this one does not touch the GPU.

    Raises:
        UserError: It failed, or took longer.
    """
    pipe, theirs = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(theirs, os.getpid(), 1))
    process.start()
    theirs.close()
    try:
        pipe.send(work)
        kind, value = pipe.recv() if pipe.poll(seconds) else ("error", f"no answer within {seconds:.0f} s")
    except EOFError:
        kind, value = "error", "its process died"
    finally:
        process.kill()
        process.join()
    if kind == "error":
        raise llmseg.UserError(f"the device does not answer: {value}")
    return value
