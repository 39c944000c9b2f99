"""What came of a foreign command, on two axes: who ended it, and what is there."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from llmseg.admission.sandbox.results import Results
from llmseg.admission.sandbox.watch import Usage
from llmseg.errors import escape_controls

_TRACEBACK = re.compile(r"^.*Traceback \(most recent call last\):$", re.MULTILINE)
_FRAME = re.compile(r'^ *File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$', re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_EXCEPTION = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?::.*)?$")

TAIL = 4000
"""Characters of the output that :attr:`Outcome.tail` has."""


@dataclass(frozen=True)
class Frame:
    """The place in a script where an exception was raised.

    Attributes:
        file: The file, as the script sees it.
        line: The line.
        function: The function, ``<module>`` outside of all.

    Example:
        >>> Frame("/content/project/train.py", 8, "fit").line
        8
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Outcome:
    """What came of a command that ran in a sandbox.

    Attributes:
        ended_by: Who ended it: the ``"script"`` itself, also by an exception; a ``"limit"``; or the ``"harness"``, the
            code around the script, which then says nothing about the script.
        limit: The limit that ended it, such as ``"wall time"``.
        exit_code: Its exit code, if it ended itself with one.
        signal: The signal that ended it, such as ``"SIGSEGV"``, if no limit did.
        exception: The last line of the traceback, such as ``"ValueError: no images"``, if it ended by an exception.
        frame: Where that was raised, in the innermost file of its own.
        results: What it wrote. It is there whoever ended it.
        faults: What went wrong around the script. It stands beside the outcome, never in place of it.
        usage: What it used.
        output: All that it printed, to both streams.
        rung: The sandbox in which it ran.
        not_contained: What that sandbox does not contain, words of :data:`llmseg.admission.PROMISES`.
    """

    ended_by: Literal["script", "limit", "harness"]
    limit: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    exception: str | None = None
    frame: Frame | None = None
    results: Results = field(default_factory=Results)
    faults: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    output: str = ""
    rung: str = ""
    not_contained: tuple[str, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether the script ended itself, without an error."""
        return self.ended_by == "script" and self.exit_code == 0

    @property
    def tail(self) -> str:
        """The end of what it printed; control characters are written out, so that it can be shown in a terminal."""
        return escape_controls(self.output[-TAIL:], keep="\n\t")

    def __str__(self) -> str:
        return f"ended by {self._name_ending()}; there: {self.results}"

    def _name_ending(self) -> str:
        if self.ended_by == "limit":
            return f"the limit of {self.limit}"
        if self.ended_by == "harness":
            return f"the harness ({'; '.join(self.faults)})"
        where = f" at {self.frame}" if self.frame is not None else ""
        error = self.exception or self.signal or (f"exit code {self.exit_code}" if self.exit_code else "no error")
        return f"the script ({escape_controls(error)}{where})"


def read_ending(code: int | None, output: str, own: Sequence[Path]) -> Outcome:
    """Return how a command ended that no limit ended; the rest of the outcome is to be filled in.

    Args:
        code: Its exit code, negative or above 128 for a signal; ``None`` if nobody knows.
        output: All that it printed.
        own: Its folders, as it sees them. Of a traceback, the innermost frame in one of them counts.
    """
    if code is None:
        return Outcome("harness", faults=("the process that runs the command was ended",))
    number = -code if code < 0 else code - 128
    if number in set(signal.Signals) and number > 0:
        return Outcome("script", signal=signal.Signals(number).name)
    exception, frame = (None, None) if code == 0 else read_exception(output, own)
    return Outcome("script", exit_code=code, exception=exception, frame=frame)


def read_exception(output: str, own: Sequence[Path]) -> tuple[str | None, Frame | None]:
    """Return the exception of the last traceback in a text and where it was raised; it may hold none.

    Args:
        output: The text.
        own: Folders; of a traceback, the innermost frame in one of them counts.
    """
    begins = [found.end() for found in _TRACEBACK.finditer(output)]
    last = output[begins[-1] :] if begins else output
    lines = [line for line in last.splitlines() if _EXCEPTION.match(line) and not line.startswith(" ")]
    frames = [_read_frame(found) for found in _FRAME.finditer(last)]
    # Errors of syntax have a frame and no traceback.
    if not lines or not (begins or frames):
        return None, None
    ours = [frame for frame in frames if _lies_in(frame.file, own)]
    return _complete(lines[0], last)[:500], ours[-1] if ours else None


def _complete(line: str, text: str) -> str:
    """Return the line of an exception, with what follows it after an empty line if it only names what was called.

    Keras writes so: *Exception encountered when calling Functional.call().*
    """
    _, _, after = text.partition(line)
    found = re.match(r"\s*\n\s*\n(.+)", after)
    if not line.endswith("().") or found is None:
        return line
    return f"{line} {_COLOUR.sub('', found[1]).strip()}"


def _read_frame(found: re.Match[str]) -> Frame:
    return Frame(found["file"], int(found["line"]), found["function"] or "<module>")


def _lies_in(file: str, folders: Iterable[Path]) -> bool:
    """Return whether a file lies in one of some folders; a name without a folder lies where the command runs."""
    path = PurePosixPath(file)
    return not path.is_absolute() or any(path.is_relative_to(folder) for folder in folders)
