"""The state of studies that are being worked on, from names of files; no run is opened, and nothing is written."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from llmseg.errors import UserError
from llmseg.files import nearest_path
from llmseg.files.locks import LEASE_SECONDS
from llmseg.study.collected.record import find_collected, read_collected_record
from llmseg.study.launching.cells import LAUNCHER, WORK, Cell, last_change, list_finished
from llmseg.study.launching.failures import Failure, read_failures
from llmseg.study.launching.outlook import estimate_seconds
from llmseg.study.record import find_studies, list_cells, read_record

_SAMPLE = 200
"""So many finished cells are asked how long they took, the newest ones."""

_HOUR = 3600.0


@dataclass(frozen=True)
class RunningCell:
    """A cell that a launcher works on.

    Attributes:
        cell: Name of its folder.
        host: Name of the computer.
        pid: Number of the process.
        since: When the launcher took it, in seconds since 1970.
        silent: Seconds since the launcher last gave a sign of life, if these are so many that it is taken for dead.

    Example:
        >>> import llmseg
        >>> for status in llmseg.study.read_study_status("studies/brain"):  # doctest: +SKIP
        ...     print([cell.cell for cell in status.running])
    """

    cell: str
    host: str
    pid: int
    since: float
    silent: float | None


@dataclass(frozen=True)
class StudyStatus:
    """The state of one study.

    Attributes:
        folder: Its folder.
        dataset: Name of its dataset.
        cells: Number of its cells.
        finished: How many of them are finished.
        running: The cells that launchers work on.
        failures: Why cells failed; also those that were killed and are continued.
        last_hour: How many cells were finished in the last hour.
        seconds_left: How long the launchers that are running now need for the rest; ``None`` if it is not known.
    """

    folder: Path
    dataset: str
    cells: int
    finished: int
    running: tuple[RunningCell, ...]
    failures: tuple[Failure, ...]
    last_hour: int
    seconds_left: float | None


def read_study_status(folder: str | Path) -> tuple[StudyStatus, ...]:
    """Return the state of the studies in a folder, while others may work on them.

    Args:
        folder: A study, a collected study, or a folder that holds such up to three levels down.

    Raises:
        UserError: There is no study.

    Example:
        >>> [state.finished for state in read_study_status("studies/brain")]  # doctest: +SKIP
        [7]
    """
    folder = Path(folder)
    studies = tuple(_read_study(study) for study in find_studies(folder))
    studies += tuple(state for collected in find_collected(folder) for state in _read_collected(collected))
    if not studies:
        what = "it holds no study" if folder.is_dir() else f"no such folder{nearest_path(folder)}"
        raise UserError(f"{folder}: {what}; name the --out of llmseg compare, ablate, gap or price")
    return studies


def _read_study(folder: Path) -> StudyStatus:
    cells = list_cells(folder)
    finished = {cell: last_change(cell.folder) for cell in list_finished(cells)}
    running = tuple(_read_running(folder))
    left = [cell for cell in cells if cell not in finished]
    active = sum(one.silent is None for one in running)
    seconds = estimate_seconds(left, _sample_seconds(finished)) if active else None
    return StudyStatus(
        folder=folder,
        dataset=read_record(folder)["store"]["name"],
        cells=len(cells),
        finished=len(finished),
        running=running,
        failures=read_failures(folder),
        last_hour=sum(changed > time.time() - _HOUR for changed in finished.values()),
        seconds_left=0.0 if not left else None if seconds is None else seconds / active,
    )


def _read_collected(folder: Path) -> Iterator[StudyStatus]:
    """Yield the state of every study of a collected one: nobody works on it."""
    record = read_collected_record(folder)
    for key, study in record.studies.items():
        cells = [cell for cell in record.cells.values() if cell.study == key and not cell.is_beside]
        total, finished = study.count(cells)
        yield StudyStatus(
            folder=folder,
            dataset=study.dataset,
            cells=total,
            finished=finished,
            running=(),
            failures=study.list_failures(cells),
            last_hour=0,
            seconds_left=0.0 if finished == total else None,
        )


def _sample_seconds(finished: Mapping[Cell, float]) -> dict[str, list[float]]:
    """Return how long some finished cells took, by name of their variant."""
    newest = sorted(finished, key=lambda cell: finished[cell], reverse=True)[:_SAMPLE]
    known: dict[str, list[float]] = {}
    for cell in newest:
        with suppress(UserError):
            if (seconds := cell.seconds) is not None:
                known.setdefault(cell.variant, []).append(seconds)
    return known


def _read_running(study: Path) -> Iterable[RunningCell]:
    """Yield the cells that are leased, by name."""
    attempts = study / WORK / "attempts"
    for attempt in sorted(attempts.iterdir()) if attempts.is_dir() else ():
        cell = attempt.name.rpartition(".")[0]
        touched = last_change(study / WORK / "leases" / f"{cell}.lease")
        launcher = _read_launcher(attempt)
        if touched and launcher:
            host, pid, since = launcher
            silent = time.time() - touched
            died = host == platform.node() and not psutil.pid_exists(pid)
            yield RunningCell(cell, host, pid, since, silent if died or silent > LEASE_SECONDS else None)


def _read_launcher(attempt: Path) -> tuple[str, int, float] | None:
    """Return host, process and time of a launcher; ``None`` if it has just ended, or the file is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads((attempt / LAUNCHER).read_bytes())
        return str(record["host"]), int(record["pid"]), float(record["since"])
    return None
