"""The journal of a process: one line of JSON for each event, and beside it the bytes of arrays."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from llmseg.admission.observing.watching.conditions import Conditions

_OURS = str(Path(__file__).resolve().parent)
_LIBRARY = re.compile(r"[\\/](site|dist)-packages[\\/]|[\\/]__autograph_generated_file")
"""Files of packages, and those that TensorFlow makes of functions."""

_MOST_BYTES = 384 * 2**20
"""Of arrays; afterwards events are written without them."""

_MOST_EVENTS = 200_000


class Journal:
    """Where a process writes what it does. A process that is forked from it has a journal of its own.

    Attributes:
        silent: Whether nothing is to be seen at the moment, because the observer itself is computing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.silent = 0
        self.forked = False
        self._base = Path.cwd()
        self._places: dict[str, str | None] = {}
        self._read: dict[str, Conditions] = {}
        self._foreign = tuple(
            str(Path(prefix).resolve()) + os.sep for prefix in {sys.prefix, sys.base_prefix, _OURS, "/usr", "/lib"}
        )
        self._open()
        os.register_at_fork(after_in_child=self._begin_again)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        name = f"{os.getpid():08d}"
        self.silent += 1
        self._lines = os.open(self.folder / f"{name}.jsonl", flags, 0o666)
        self._arrays = os.open(self.folder / f"{name}.bin", flags, 0o666)
        self.silent -= 1
        self._count = self._bytes = 0

    def _begin_again(self) -> None:
        self.forked = True
        self._open()

    def write(self, event: str, **values: Any) -> None:
        """Write an event. It is in the file when this returns, so a process that is killed has said all before."""
        self._count += 1
        if self._count <= _MOST_EVENTS:
            line = json.dumps({"event": event, **values}, default=str)
            os.write(self._lines, line.encode() + b"\n")

    def keep(self, array: Any, always: bool = False) -> dict[str, Any]:
        """Write the numbers of a numpy array, and return where they are; without a place if there were too many."""
        about: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
        content = array.tobytes()
        if not always and self._bytes + len(content) > _MOST_BYTES:
            return about
        about["at"] = self._bytes
        while content:
            written = os.write(self._arrays, content)
            self._bytes += written
            content = content[written:]
        return about

    def frames(self) -> Iterator[FrameType]:
        """Yield the frames of the script's own code, the innermost first."""
        frame = sys._getframe(1) if hasattr(sys, "_getframe") else None
        while frame is not None:
            if self._name(frame.f_code.co_filename) is not None:
                yield frame
            frame = frame.f_back

    def place(self) -> str:
        """Return the line of the script that is being executed, as ``file:line``."""
        for frame in self.frames():
            return f"{self._name(frame.f_code.co_filename)}:{frame.f_lineno}"
        return ""

    def condition(self) -> dict[str, Any] | None:
        """Return the comparison on which the line depends that is being executed: its text, sides and their numbers."""
        frames = list(self.frames())
        for number, frame in enumerate(frames):
            found = self._conditions(frame.f_code.co_filename).find(frame)
            if found is not None:
                return {**found, "sides": [self._trace(side, frames[number:]) for side in found["sides"]]}
        return None

    def _trace(self, side: str, frames: list[FrameType]) -> str:
        """Return what the first frame was given by the next for a parameter, and so on; otherwise the side itself."""
        for frame, caller in itertools.pairwise(frames):
            code = frame.f_code
            names = [name for name in code.co_varnames[: code.co_argcount] if name != "self"]
            if side not in names:
                break
            conditions = self._conditions(caller.f_code.co_filename)
            side = conditions.find_given(caller, code.co_name, side, names.index(side)) or side
        return side

    def _conditions(self, file: str) -> Conditions:
        if file not in self._read:
            self._read[file] = Conditions(file)
        return self._read[file]

    def is_own(self, file: str) -> bool:
        """Return whether a file is one of the script's."""
        return bool(file) and self._name(file) is not None

    def _name(self, file: str) -> str | None:
        """Return how a file of the script is called, seen from its folder; ``None`` if it is not the script's."""
        if file not in self._places:
            path = str(self._base / file)
            is_foreign = file.startswith("<") or path.startswith(self._foreign) or bool(_LIBRARY.search(file))
            self._places[file] = None if is_foreign else os.path.relpath(path, self._base)
        return self._places[file]

    def guarded(self, record: Callable[..., None]) -> Callable[..., None]:
        """Return a function that records and never fails; while it works, nothing else is recorded."""

        @functools.wraps(record)
        def recording(*arguments: Any, **named: Any) -> None:
            if self.silent:
                return
            self.silent += 1
            try:
                record(*arguments, **named)
            except Exception:
                self.write("fault", text=traceback.format_exc(limit=-3))
            finally:
                self.silent -= 1

        return recording
