"""Cells of a study that failed: why, in a file for each of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from llmseg.files import clean_name, make_folder, read_json, write_text
from llmseg.files.places import hide_places
from llmseg.study.launching.cells import fold_suffix

FAILURES = "failures"
"""Folder in a study's folder, with a file for every cell that failed."""

FailureKind = Literal["refused", "diverged", "out-of-memory", "error", "killed"]

LASTING: tuple[FailureKind, ...] = ("diverged", "out-of-memory")
"""Kinds that would come again: they are tried again only if that is asked for."""

_FIELDS = {"variant": str, "seed": (int, type(None)), "kind": str, "cause": str, "fold?": int}


@dataclass(frozen=True)
class Failure:
    """Why a contender failed.

    Attributes:
        variant: Its name.
        seed: The seed of its training; ``None`` if it was refused before the first one.
        kind: ``refused``: recipe and cases do not fit; ``diverged``: the loss or the weights became not-a-number or
            infinite; ``out-of-memory``; ``killed``: the launcher was killed, and the cell is continued by another;
            ``error``: anything else.
        cause: The message of the error, one line.
        at_once: Cases that passed through the network together, if they were fewer than a batch.
        log: The last lines that Python printed of the error.
        fold: Number of the fold, as that of a :class:`llmseg.study.Cell`.

    Example:
        >>> str(Failure("gpt-o3", 1, "diverged", "the loss of step 40 is not a number"))
        'gpt-o3 with seed 1: the loss of step 40 is not a number'
    """

    variant: str
    seed: int | None
    kind: FailureKind
    cause: str
    at_once: int | None = None
    log: str = ""
    fold: int = 0

    @property
    def lasts(self) -> bool:
        """Whether it would come again."""
        return self.kind in LASTING

    def __str__(self) -> str:
        training = self.variant if self.seed is None else f"{self.variant} with seed {self.seed}"
        if self.fold:
            training += f" in fold {self.fold}"
        return f"{training}: {self.cause}"


def write_failure(study: Path, failure: Failure) -> None:
    """Note a failure in the folder of its study; it replaces an earlier one of the same cell."""
    make_folder(study / FAILURES)
    log = "\n".join(map(hide_places, failure.log.splitlines()))
    shown = replace(failure, cause=hide_places(failure.cause), log=log)
    write_text(
        _find_note(study, failure.variant, failure.seed, failure.fold), json.dumps(asdict(shown), indent=2) + "\n"
    )


def read_failures(study: Path) -> tuple[Failure, ...]:
    """Return the failures that are noted in the folder of a study, by name of their variant, seed and fold."""
    records = [read_json(path, _FIELDS) for path in (study / FAILURES).glob("*.json")]
    names = (*_FIELDS, "at_once", "log", "fold")
    failures = [Failure(**{name: record[name] for name in names if name in record}) for record in records]
    return tuple(sorted(failures, key=lambda failure: (failure.variant, failure.seed or 0, failure.fold)))


def forget_failure(study: Path, variant: str, seed: int | None, fold: int = 0) -> None:
    """Remove the note of a cell that failed before."""
    _find_note(study, variant, seed, fold).unlink(missing_ok=True)


def forget_failures(study: Path, kinds: Collection[str]) -> tuple[Failure, ...]:
    """Remove the notes of some kinds, so that these cells are tried again; return them."""
    forgotten = tuple(failure for failure in read_failures(study) if failure.kind in kinds)
    for failure in forgotten:
        forget_failure(study, failure.variant, failure.seed, failure.fold)
    return forgotten


def _find_note(study: Path, variant: str, seed: int | None, fold: int) -> Path:
    name = clean_name(variant, also="-_.=") + ("" if seed is None else f"-seed{seed}{fold_suffix(fold)}")
    return study / FAILURES / f"{name}.json"
