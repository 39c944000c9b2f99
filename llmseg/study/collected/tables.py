"""The tables of a collected study as bytes: the same content gives the same bytes."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from llmseg.errors import UserError
from llmseg.files import read_bytes
from llmseg.files.cells import guard_cell
from llmseg.study.collected.cell import CollectedCell, describe_device
from llmseg.study.collected.folder import HISTORY, SCORES, Collected

if TYPE_CHECKING:
    import pyarrow as pa

NAMED = ("cell", "pipeline", "variant", "dataset", "seed")
"""Columns of ``scores.parquet`` and ``scores.csv.gz`` that say whose scores they are; :data:`SCORES` follow."""

HINT = "put it back from a copy, or collect again into a new folder"


def join_scores(collected: Collected) -> pd.DataFrame:
    """Return the scores of all cells under each other, with whose they are."""
    return _join([(cell, collected.scores[cell.key]) for cell in collected.cells], NAMED, SCORES)


def join_histories(collected: Collected) -> pd.DataFrame:
    """Return the losses of all cells under each other."""
    return _join([(cell, collected.histories[cell.key]) for cell in collected.cells], ("cell",), HISTORY)


def _join(
    parts: Iterable[tuple[CollectedCell, pd.DataFrame]], named: tuple[str, ...], columns: tuple[str, ...]
) -> pd.DataFrame:
    frames = []
    for cell, frame in parts:
        own = {name: cell.key if name == "cell" else getattr(cell, name) for name in named}
        frames.append(frame.assign(**own)[[*named, *columns]])
    whole: pd.DataFrame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*named, *columns])
    return whole


def list_cells(collected: Collected) -> pd.DataFrame:
    """Return a row per cell, with its digests and what its training took."""
    rows = []
    for cell in collected.cells:
        facts = cell.facts
        run = facts.get("run", {})
        own = {name: getattr(cell, name) for name in CELL_COLUMNS}
        how = run.get("how", {})
        device = describe_device(str(how.get("device", "")), run.get("hardware", {}))
        processor = " ".join(str(device[name]) for name in ("machine", "cpu_capability") if name in device)
        took = {name: facts.get(name) for name in ("epochs", "images_seen", "seconds")}
        took |= {name: run.get(name) for name in ("joules", "memory_gb")}
        with_device = {"device_name": device["gpu"] or processor, "precision": how.get("precision")}
        version = {"version": run.get("versions", {}).get("llmseg")}
        rows.append({"cell": cell.key, **own, **version, **with_device, "parameters": run.get("parameters"), **took})
    table: pd.DataFrame = pd.DataFrame(rows)
    return table


CELL_COLUMNS = (
    *("dataset", "pipeline", "variant", "seed", "recipe", "data", "holdout", "split", "evaluator", "tolerance"),
    *("code", "device", "numerics", "study", "results"),
)
"""Columns of ``cells.csv`` that tell one cell from another."""


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Return a table as the bytes of a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # A table of one chunk, for pages end where chunks do. Names are plain texts: the writer makes its own dictionaries,
    # in the order in which they come, and these do not depend on where the rows came from.
    table = pa.Table.from_pandas(frame, schema=_schema(frame), preserve_index=False)
    table = table.combine_chunks().replace_schema_metadata(None)
    buffer = io.BytesIO()
    named = [name for name in frame.columns if frame[name].dtype != float]
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        compression_level=19,
        use_dictionary=named,
        row_group_size=max(1, len(frame)),
        write_statistics=False,
    )
    return buffer.getvalue()


def _schema(frame: pd.DataFrame) -> pa.Schema:
    import pyarrow as pa

    kinds = {"seed": pa.int64(), "epoch": pa.int64(), **dict.fromkeys(("value", *HISTORY[1:]), pa.float64())}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in frame.columns])


def read_parquet(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the table in a parquet file.

    Raises:
        UserError: It cannot be read, is none, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = read_bytes(path, hint=HINT)
    try:
        frame: pd.DataFrame = pq.read_table(io.BytesIO(content)).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise UserError(f"{path} is damaged: it holds no parquet ({why}); {HINT}") from error
    return _check_columns(path, frame, columns)


def to_csv_gz(frame: pd.DataFrame) -> bytes:
    """Return scores as the bytes of a gzipped CSV file: a row per case and size, a column per measure.

    With a row per measure, the text would take five times the space, and nearly twice when it is gzipped.
    """
    keys = [name for name in frame.columns if name not in ("measure", "value")]
    guarded = frame.assign(**{name: _guard(frame[name]) for name in keys if name != "seed"})
    wide = guarded.set_index([*keys, "measure"])["value"].unstack("measure", sort=False).reset_index()
    text: str = wide.to_csv(index=False, lineterminator="\n")
    return gzip.compress(text.encode(), 9, mtime=0)


def _guard(column: pd.Series) -> pd.Series:
    texts = {text: guard_cell(text) for text in column.unique()}
    guarded: pd.Series = column.map(texts)
    return guarded


def list_cells_csv(collected: Collected) -> bytes:
    """Return the table of :func:`list_cells` as the bytes of a CSV file."""
    frame = list_cells(collected)
    named = ("dataset", "pipeline", "variant", "device_name")
    text: str = frame.assign(**{name: _guard(frame[name]) for name in named}).to_csv(index=False, lineterminator="\n")
    return text.encode()


def _check_columns(path: Path, frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    for name in columns:
        if name not in frame.columns:
            raise UserError(f"{path} is damaged: it has no column '{name}'; {HINT}")
    chosen: pd.DataFrame = frame[list(columns)]
    return chosen
