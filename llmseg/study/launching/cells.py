"""Cells: one training of a study each, with its evaluation, in a folder that appears as a whole.

A launcher trains and scores a cell in a folder of its own, an *attempt*, and renames it to the cell's folder at the
end. So a cell that has a name is finished, whoever is killed and whenever. A lease keeps two launchers from one cell.
Leases may be lost, by a computer that sleeps for example; then two launchers finish the same cell, and the later one
throws its attempt away.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmseg.errors import UserError
from llmseg.files import clean_name, make_folder, read_json_if_any, write_text
from llmseg.files.locks import Lease
from llmseg.files.notes import note

WORK = ".work"
"""Folder in a study's folder that only launchers need: leases, attempts, and what opens the store again."""

LAUNCHER = "launcher.json"
"""File of an attempt that says who works on it. It does not stay: what is published names no computer."""

_RESULTS = (
    *("run/weights.safetensors", "run/history.csv", "run/listed.csv", "run/scores.csv"),
    *("evaluation/scores.csv", "evaluation/counts.csv", "evaluation/conventions.csv"),
)
"""The files that are the same whenever and wherever a cell is computed, on one kind of device."""


@dataclass(frozen=True)
class Cell:
    """One training of a study: one variant with one seed and, in a cross-validation, one fold.

    Attributes:
        study: Folder of the study.
        variant: Name of the variant.
        digest: Digest of its recipe.
        seed: The seed.
        fold: Number of the fold whose cases it is scored on, from 1; 0 without folds.
    """

    study: Path
    variant: str
    digest: str
    seed: int
    fold: int = 0

    @property
    def name(self) -> str:
        """Name of its folder; letters that some file systems refuse become underscores."""
        return f"{clean_name(self.variant, also='-_.=')}-{self.digest[:6]}-seed{self.seed}{fold_suffix(self.fold)}"

    @property
    def folder(self) -> Path:
        """Where it is when it is finished: ``run``, ``evaluation`` and ``cell.json``."""
        return self.study / self.name

    @property
    def lease(self) -> Path:
        """The file that the launcher holds which works on it."""
        return self.study / WORK / "leases" / f"{self.name}.lease"

    @property
    def attempts(self) -> Iterator[Path]:
        """The folders in which launchers work on it, or worked until they were killed."""
        folder = self.study / WORK / "attempts"
        attempts = folder.iterdir() if folder.is_dir() else ()
        return (attempt for attempt in attempts if attempt.name.rpartition(".")[0] == self.name)

    @property
    def is_finished(self) -> bool:
        """Whether it is trained and scored."""
        # Earlier versions trained in the folder itself, so that the folder alone does not tell.
        return all((self.folder / name).is_file() for name in ("evaluation/evaluation.json", "run/run.json"))

    @property
    def seconds(self) -> float | None:
        """How long it took; ``None`` if it is not known."""
        seconds = read_json_if_any(self.folder / "cell.json").get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else None


def list_finished(cells: Iterable[Cell]) -> list[Cell]:
    """Return those of many cells that are finished, in their order.

    The folder of a study is listed once, so that cells which nobody has begun cost no look at the disk.
    """
    listed: dict[Path, set[str]] = {}
    finished = []
    for cell in cells:
        if cell.study not in listed:
            listed[cell.study] = {path.name for path in cell.study.iterdir()} if cell.study.is_dir() else set()
        if cell.name in listed[cell.study] and cell.is_finished:
            finished.append(cell)
    return finished


def find_finished(cells: Iterable[Cell]) -> set[Cell]:
    """Return what :func:`list_finished` returns, to ask whether a cell is among them."""
    return set(list_finished(cells))


def number_folds(count: int) -> range:
    """Return the numbers of so many folds, from 1; 0 alone for a single held-out test set, which is no fold."""
    return range(1, count + 1) if count > 1 else range(1)


def fold_suffix(fold: int) -> str:
    """Return what names of files and folders have behind the seed; nothing without folds."""
    return f"-fold{fold}" if fold else ""


def take_attempt(cell: Cell) -> Path:
    """Return a folder to work on a cell in, for whoever holds its lease.

    What another launcher left is continued: its newest attempt gets a new name. If that launcher is alive and has lost
    its lease, it finds no folder any more and gives up.
    """
    folder = cell.study / WORK / "attempts"
    make_folder(folder)
    new = folder / f"{cell.name}.{secrets.token_hex(4)}"
    # A cell that an earlier version left unfinished lies at its final place.
    for earlier in sorted((*cell.attempts, cell.folder), key=last_change, reverse=True):
        with suppress(OSError):
            earlier.rename(new)
            break
    make_folder(new)
    launcher = {"pid": os.getpid(), "host": platform.node(), "since": time.time()}
    write_text(new / LAUNCHER, json.dumps(launcher) + "\n")
    return new


def clear_finished(study: Path) -> None:
    """Remove leases of cells that are finished, and attempts at them: of launchers that were killed at the very end."""
    folder = study / WORK / "leases"
    leases = list(folder.iterdir()) if folder.is_dir() else []
    # A launcher that is killed while it gives its lease back, or takes one over, leaves files with longer names.
    for name in {path.name.rpartition(".lease")[0] for path in leases}:
        lease = Lease(folder / f"{name}.lease")
        # A launcher that lives holds its lease until a moment after its cell is finished.
        if (study / name / "cell.json").is_file() and lease.take():
            for path in leases:
                if path.name.startswith(f"{name}.lease."):
                    path.unlink(missing_ok=True)
            lease.release()
    folder = study / WORK / "attempts"
    for attempt in folder.iterdir() if folder.is_dir() else ():
        name = attempt.name.rpartition(".")[0]
        if (study / name / "cell.json").is_file() and not (study / WORK / "leases" / f"{name}.lease").exists():
            shutil.rmtree(attempt, ignore_errors=True)


def last_change(path: Path) -> float:
    """Return when a file or folder was last changed, in seconds since 1970; 0 if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def publish(cell: Cell, attempt: Path, seconds: float) -> bool:
    """Let an attempt that is finished become the cell.

    Args:
        cell: The cell.
        attempt: Its run and evaluation.
        seconds: How long they took.

    Returns:
        Whether it did. If another launcher was faster, its cell stays, the attempt is thrown away, and a line says
        whether both had the same results.

    Raises:
        UserError: The disk refuses it.
    """
    digest = digest_results(attempt)
    (attempt / LAUNCHER).unlink(missing_ok=True)
    write_text(attempt / "cell.json", json.dumps({"seconds": round(seconds, 3), "digest": digest}) + "\n")
    published = _rename(attempt, cell)
    if not published:
        same = digest_results(cell.folder) == digest
        what = "with the same results" if same else "with OTHER results, as other devices and versions may give"
        note(f"{cell.name} was finished by another launcher, too, {what}; its cell is kept")
    for left in (attempt, *cell.attempts):
        shutil.rmtree(left, ignore_errors=True)
    return published


def _rename(attempt: Path, cell: Cell) -> bool:
    while not cell.is_finished:
        try:
            # One step, and it fails if the cell is there: of two launchers, one gets it.
            attempt.rename(cell.folder)
            return True
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise UserError(f"cannot write {cell.folder}: {error.strerror}; the attempt is kept") from error
        # What is there is not finished: an earlier version left it, or somebody removed its evaluation.
        if not cell.is_finished:
            cell.folder.rename(attempt.with_name(f"{attempt.name}-replaced"))
    return False


def digest_results(folder: Path) -> str:
    """Return SHA-256 over the results of a cell or an attempt, without what only tells when and where it was made."""
    digest = hashlib.sha256()
    for name in _RESULTS:
        with suppress(FileNotFoundError):
            content = (folder / name).read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
