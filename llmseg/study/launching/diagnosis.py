"""Which errors are those of a contender, and of which kind of failure."""

from __future__ import annotations

import traceback

import torch

from llmseg.errors import UserError
from llmseg.study.launching.cells import Cell
from llmseg.study.launching.failures import Failure, FailureKind
from llmseg.training.loop import NotANumber
from llmseg.training.memory import OutOfMemory

FAILING = (NotANumber, OutOfMemory, MemoryError, RuntimeError)
"""Errors of a contender. Others, such as that of a full disk, would meet every contender in turn."""

_LOG_LINES = 30


def describe_failure(error: Exception, cell: Cell, at_once: int | None = None) -> Failure:
    """Return the failure that an error is.

    Args:
        error: What the training raised.
        cell: The cell that it kept from being finished.
        at_once: Cases that passed through the network together, if they were fewer than a batch.
    """
    cause = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    lines = "".join(traceback.format_exception(error)).splitlines()
    log = "\n".join(lines[-_LOG_LINES:])
    return Failure(cell.variant, cell.seed, _find_kind(error), " ".join(cause.split()), at_once, log, cell.fold)


def _find_kind(error: Exception) -> FailureKind:
    if isinstance(error, NotANumber):
        return "diverged"
    if isinstance(error, OutOfMemory | torch.OutOfMemoryError | MemoryError):
        return "out-of-memory"
    return "refused" if isinstance(error, UserError) else "error"
