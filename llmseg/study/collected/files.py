"""The folder of a collected study: it is replaced as a whole, and read only if it is as llmseg wrote it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from llmseg.errors import UserError
from llmseg.files import check_kind, check_writable, make_folder, read_bytes, write_bytes
from llmseg.files.interruption import discard_at_end, keep_at_end
from llmseg.study.collected.cell import CollectedCell
from llmseg.study.collected.folder import HISTORY, SCORES, Collected, digest_frames
from llmseg.study.collected.record import MARK, NEW, CollectedRecord, find_file, holds_collected, read_collected_record
from llmseg.study.collected.tables import (
    HINT,
    NAMED,
    join_histories,
    join_scores,
    list_cells_csv,
    read_parquet,
    to_csv_gz,
    to_parquet,
)

PARQUET, CSV, LOSSES, CELLS = "scores.parquet", "scores.csv.gz", "history.parquet", "cells.csv"


def check_out(out: Path) -> None:
    """Refuse a folder that holds something else than a collected study, or that cannot be written.

    Raises:
        UserError: It does, or it cannot.
    """
    check_kind(out, "collected study", holds=holds_collected(out), record=MARK)
    check_writable(out)


def make_files(collected: Collected) -> dict[str, bytes]:
    """Return the files of a collected study, ``collected.json`` last; the same content gives the same bytes."""
    scores = join_scores(collected)
    files = {
        PARQUET: to_parquet(scores),
        CSV: to_csv_gz(scores),
        LOSSES: to_parquet(join_histories(collected)),
        CELLS: list_cells_csv(collected),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    cells = {cell.key: cell for cell in collected.cells}
    record = CollectedRecord(digests, collected.studies, cells, collected.recipes).to_dict()
    return {**files, MARK: (json.dumps(record, indent=1) + "\n").encode()}


def write_collected(out: Path, collected: Collected) -> None:
    """Write the folder of a collected study.

    A process that is killed leaves the old content or the new one: new files are first written into a folder of their
    own, :data:`NEW`. They count from the moment on when that folder has its ``collected.json``, and are then moved.

    Args:
        out: The folder; what it holds is replaced.
        collected: The new content.

    Raises:
        UserError: The disk is full or refuses a file; what was there before is kept.
    """
    files = make_files(collected)
    make_folder(out)
    _finish_move(out)
    shutil.rmtree(out / NEW, ignore_errors=True)
    if all((out / name).is_file() and (out / name).read_bytes() == content for name, content in files.items()):
        return
    make_folder(discard_at_end(out / NEW))
    try:
        for name, content in files.items():
            if name == MARK:  # the last: from now on the new files count, and stay
                keep_at_end(out / NEW)
            write_bytes(out / NEW / name, content)
    except UserError:
        shutil.rmtree(out / NEW, ignore_errors=True)
        raise
    _finish_move(out)
    shutil.rmtree(out / NEW, ignore_errors=True)


def _finish_move(out: Path) -> None:
    """Move new files to their places, if all of them are written; ``collected.json`` is the last to be moved."""
    if not (out / NEW / MARK).is_file():
        return
    try:
        for name in (PARQUET, CSV, LOSSES, CELLS, MARK):
            if (out / NEW / name).is_file():
                (out / NEW / name).replace(out / name)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}; the same command again finishes it") from error


def read_collected(folder: str | Path) -> Collected:
    """Read a collected study.

    Args:
        folder: As ``llmseg study collect`` and ``llmseg study merge`` write it. ``scores.csv.gz`` and ``cells.csv``
            are copies, for people, and may be missing.

    Raises:
        UserError: It holds none, or a file is damaged or was changed.

    Example:
        >>> read_collected("collected").cells[0].seed  # doctest: +SKIP
        0
    """
    folder = Path(folder)
    record = read_collected_record(folder)
    path = find_file(folder, PARQUET)
    frame = read_parquet(path, (*NAMED, *SCORES))
    _check_rows(path, frame, record.cells)
    scores = _divide(frame, SCORES, record.cells)
    losses = find_file(folder, LOSSES)
    histories = _divide(read_parquet(losses, ("cell", *HISTORY)), HISTORY, record.cells)
    for name in (PARQUET, LOSSES):
        if not _is_unchanged(folder, name, record):
            _name_changed(find_file(folder, name), record.cells, scores, histories)
    for name in (CSV, CELLS):
        if find_file(folder, name).is_file() and not _is_unchanged(folder, name, record):
            raise UserError(
                f"{find_file(folder, name)} was changed after llmseg wrote it; it is a copy of {PARQUET} and {MARK}: "
                "move it away, and write it anew by the same command as before"
            )
    return Collected(record.studies, tuple(record.cells.values()), record.recipes, scores, histories)


def _check_rows(path: Path, frame: pd.DataFrame, cells: Mapping[str, CollectedCell]) -> None:
    """Refuse rows that stand twice, and rows that are of no cell or of another than they say."""
    for row in frame[list(NAMED)].drop_duplicates().to_dict("records"):
        cell = cells.get(row["cell"])
        if cell is None:
            raise UserError(f"{path} has rows of cell {row['cell']}, which is not among those of {MARK}; {HINT}")
        for name in ("pipeline", "variant", "dataset"):
            if row[name] != getattr(cell, name):
                raise UserError(f"{path} has rows of {name} '{row[name]}' in the cell of {cell}; {HINT}")
        if cell.seed != (None if pd.isna(row["seed"]) else int(row["seed"])):
            raise UserError(f"{path} has rows of seed {row['seed']} in the cell of {cell}; {HINT}")
    repeated = frame.duplicated(["cell", *SCORES[:-1]])
    if repeated.any():
        row = frame[repeated].iloc[0]
        which = f"{row['measure']} ({row['size']}) of case {row['case']} of {cells[row['cell']]}"
        raise UserError(f"{path}: {int(repeated.sum())} rows stand twice, such as {which}; {HINT}")


def _divide(
    frame: pd.DataFrame, columns: tuple[str, ...], cells: Mapping[str, CollectedCell]
) -> dict[str, pd.DataFrame]:
    """Return the rows of every cell; none for a cell that has none."""
    own = frame[list(columns)]
    rows = frame.groupby("cell", sort=False).indices
    none: list[int] = []
    return {key: own.iloc[rows.get(key, none)].reset_index(drop=True) for key in cells}


def _is_unchanged(folder: Path, name: str, record: CollectedRecord) -> bool:
    content = read_bytes(find_file(folder, name), hint=HINT)
    digest = record.files.get(name, "")
    # Programs that keep versions may give texts other ends of lines.
    return digest in (hashlib.sha256(text).hexdigest() for text in (content, content.replace(b"\r\n", b"\n")))


def _name_changed(
    path: Path,
    cells: Mapping[str, CollectedCell],
    scores: Mapping[str, pd.DataFrame],
    histories: Mapping[str, pd.DataFrame],
) -> None:
    for key, cell in cells.items():
        if digest_frames(scores[key], histories[key]) != cell.results:
            raise UserError(f"{path} was changed after llmseg wrote it: {cell} does not have its results; {HINT}")
    raise UserError(f"{path} was changed after llmseg wrote it; {HINT}")
