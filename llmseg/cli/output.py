"""How a command prints its result, as text or JSON, and its warnings."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from llmseg.errors import escape_controls
from llmseg.files.notes import LOGGER
from llmseg.files.progress import hide_slow_bars


@dataclass(frozen=True)
class Output:
    """How a command prints its result."""

    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False

    def print(self, content: Any) -> None:
        """Print text, or a value that JSON can hold as JSON, once, however many processes run.

        Unknown numbers, not-a-number and infinity, are ``null``: JSON has no word for them.
        """
        if is_first_process():
            print(_json_text(content) if self.as_json else escape_controls(str(content), keep="\n\t"))


def _json_text(content: Any) -> str:
    return json.dumps(_with_nulls(content), indent=2, allow_nan=False)


def _with_nulls(content: Any) -> Any:
    """Return a value with ``None`` for every number in it that is not finite."""
    if isinstance(content, dict):
        return {key: _with_nulls(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_with_nulls(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


@dataclass(frozen=True)
class OutputWithProgress(Output):
    """How a command that takes a while prints its result and how far it is."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars and no notes.")] = False

    def __post_init__(self) -> None:
        hide_slow_bars(self.quiet)
        if self.quiet and not LOGGER.isEnabledFor(logging.DEBUG):
            LOGGER.setLevel(logging.WARNING)

    @property
    def progress(self) -> bool:
        """Whether to show progress bars."""
        return not self.quiet


def print_message(message: object) -> None:
    """Print a warning or an error on a line of its own, once, however many processes meet it."""
    if is_first_process():
        print(f"llmseg: {escape_controls(str(message))}", file=sys.stderr)


class _Lines(logging.Handler):
    """Prints what the library notes, above a progress bar if there is one, once however many processes note it."""

    def emit(self, record: logging.LogRecord) -> None:
        if not is_first_process():
            return
        kind = "warning: " if record.levelno >= logging.WARNING else ""
        text = f"llmseg: {kind}{escape_controls(record.getMessage())}"
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        bars = sys.modules.get("tqdm")
        if bars is None:
            print(text, file=sys.stderr)
        else:
            bars.tqdm.write(text, file=sys.stderr)


@contextmanager
def print_notes() -> Iterator[None]:
    """Print the library's notes on standard error for the block."""
    handler, level = _Lines(), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)


def print_line(message: object) -> None:
    """Print a message at once, below a progress bar if there is one."""
    if is_first_process():
        bars = getattr(sys.modules.get("tqdm"), "tqdm", None)
        drawn = any(not bar.disable for bar in list(getattr(bars, "_instances", ())))
        print(("\n" if drawn else "") + f"llmseg: {escape_controls(str(message))}", file=sys.stderr, flush=True)


def is_first_process() -> bool:
    """Return whether this process prints for all that ``torchrun`` started."""
    # torchrun numbers the processes that it starts by this variable; a process that it did not start has none.
    return os.environ.get("RANK", "0") == "0"
