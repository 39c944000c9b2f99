"""What llmseg status prints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmseg.cli.text.layout import align_columns, section
from llmseg.study.launching.outlook import format_seconds

if TYPE_CHECKING:
    from llmseg.study import StudyStatus


def status_text(studies: Sequence[StudyStatus], now: float | None = None) -> str:
    """Return a line per study, and what runs and what failed in each.

    Args:
        studies: The states of the studies.
        now: The time, in seconds since 1970; that of the clock if it is not given.
    """
    now = time.time() if now is None else now
    rows = [
        (
            study.dataset,
            f"{study.finished} of {study.cells}",
            str(sum(cell.silent is None for cell in study.running)),
            str(sum(failure.kind != "killed" for failure in study.failures)),
            str(study.last_hour),
            "-" if study.seconds_left is None else f"about {format_seconds(study.seconds_left)}",
            str(study.folder),
        )
        for study in studies
    ]
    table = align_columns([("dataset", "cells", "running", "failed", "last hour", "left", "folder"), *rows])
    return "\n".join([table, *(text for study in studies for text in (_running(study, now), _failed(study)) if text)])


def _running(study: StudyStatus, now: float) -> str:
    lines = []
    for cell in study.running:
        state = "" if cell.silent is None else f", no sign of life for {format_seconds(cell.silent)}"
        where = f"process {cell.pid} on {cell.host}, for {format_seconds(max(0.0, now - cell.since))}"
        lines.append(f"{cell.cell}: {where}{state}")
    return section(f"running in {study.folder}", lines)


def _failed(study: StudyStatus) -> str:
    return section(f"failed in {study.folder}", [f"{failure.kind}: {failure}" for failure in study.failures])
