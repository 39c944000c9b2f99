"""Contenders of a study that failed: why, in a file for each of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch

from llmseg.errors import UserError
from llmseg.files import clean_name, make_folder, read_json, write_text
from llmseg.training.loop import NotANumber
from llmseg.training.memory import OutOfMemory

FAILURES = "failures"
"""Folder in a study's folder, with a file for every training that failed."""

FailureKind = Literal["refused", "diverged", "out-of-memory", "error"]

FAILING = (NotANumber, OutOfMemory, MemoryError, RuntimeError)
"""Errors of a contender. Others, such as that of a full disk, would meet every contender in turn."""

_FIELDS = {"variant": str, "seed": (int, type(None)), "kind": str, "cause": str}


@dataclass(frozen=True)
class Failure:
    """Why a contender failed.

    Attributes:
        variant: Its name.
        seed: The seed of its training; ``None`` if it was refused before the first one.
        kind: ``refused``: recipe and cases do not fit; ``diverged``: the loss or the weights became not-a-number or
            infinite; ``out-of-memory``; ``error``: anything else.
        cause: The message of the error, one line.
    """

    variant: str
    seed: int | None
    kind: FailureKind
    cause: str

    @classmethod
    def of(cls, error: Exception, variant: str, seed: int | None) -> Failure:
        """Return the failure that an error is."""
        cause = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return cls(variant, seed, _find_kind(error), " ".join(cause.split()))

    def __str__(self) -> str:
        training = self.variant if self.seed is None else f"{self.variant} with seed {self.seed}"
        return f"{training}: {self.cause}"


def _find_kind(error: Exception) -> FailureKind:
    if isinstance(error, NotANumber):
        return "diverged"
    if isinstance(error, OutOfMemory | torch.OutOfMemoryError | MemoryError):
        return "out-of-memory"
    return "refused" if isinstance(error, UserError) else "error"


def write_failure(study: Path, failure: Failure) -> None:
    """Note a failure in the folder of its study."""
    make_folder(study / FAILURES)
    seed = "" if failure.seed is None else f"-seed{failure.seed}"
    name = f"{clean_name(failure.variant, also='-_.=')}{seed}.json"
    write_text(study / FAILURES / name, json.dumps(asdict(failure), indent=2) + "\n")


def read_failures(study: Path) -> tuple[Failure, ...]:
    """Return the failures that are noted in the folder of a study, by name of their variant and seed."""
    records = [read_json(path, _FIELDS) for path in (study / FAILURES).glob("*.json")]
    failures = [Failure(**{name: record[name] for name in _FIELDS}) for record in records]
    return tuple(sorted(failures, key=lambda failure: (failure.variant, failure.seed or 0)))


def forget_failures(study: Path) -> None:
    """Remove the notes: what failed is tried again."""
    for path in (study / FAILURES).glob("*.json"):
        path.unlink(missing_ok=True)
