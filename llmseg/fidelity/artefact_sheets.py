"""Spreadsheets as a script wrote them: the tables, their labels, and the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.fidelity.spreadsheets import write_spreadsheet
from llmseg.zoo.outputs import Sheet

if TYPE_CHECKING:
    import pandas as pd

Value = float | str | None


@dataclass(frozen=True)
class Results:
    """What the sheets of a run are made of.

    Attributes:
        train_loss: A value per epoch.
        validation_loss: A value per epoch.
        validation: For each epoch, the scores that the script lists.
        test: The scores that it lists in the test; ``None`` if it has none.
        batch_sizes: Cases in a batch, of ``validation`` and ``test``.
    """

    train_loss: Sequence[float]
    validation_loss: Sequence[float]
    validation: Sequence[Sequence[float]]
    test: Sequence[float] | None
    batch_sizes: Mapping[str, int]


@dataclass(frozen=True)
class Table:
    """One sheet of a file, as it is handed to the writer.

    Attributes:
        file: Name of the file.
        name: Name of the sheet.
        frame: The values with the labels of rows and columns.
        header: Whether the labels of the columns are written, or others instead of them.
        sheet: What it was made by.
    """

    file: str
    name: str
    frame: pd.DataFrame
    header: bool | list[str]
    sheet: Sheet


def make_tables(sheet: Sheet, results: Results) -> list[Table]:
    """Return the tables of a sheet; more than one where there is a file or a sheet per epoch, none without a test."""
    if sheet.holds == "test":
        return [] if results.test is None else [_make_table(sheet, [results.test], results)]
    if sheet.holds != "validation":
        return [_make_table(sheet, [getattr(results, sheet.holds)], results)]
    if sheet.keeps == "every":
        return [_make_table(sheet, results.validation, results)]
    if sheet.keeps == "last":
        return [_make_table(sheet, results.validation[-1:], results)]
    return [_make_table(sheet, [scores], results, epoch) for epoch, scores in enumerate(results.validation, 1)]


def _make_table(sheet: Sheet, passes: Sequence[Sequence[float]], results: Results, epoch: int = 0) -> Table:
    import pandas as pd

    rows = _arrange(sheet, passes, results.batch_sizes)
    if sheet.epochs == "above":
        rows = [list(range(1, len(rows[0]) + 1)), *rows]
    elif sheet.epochs == "beside":
        rows = [[number, *row] for number, row in enumerate(rows, 1)]
    frame = pd.DataFrame(rows)
    columns = sheet.columns.spell(frame.shape[1])
    frame.index = pd.Index(sheet.rows.spell(frame.shape[0]))
    header: bool | list[str] = sheet.header
    if sheet.renamed:
        header = [str(name) for name in columns]
    else:
        frame.columns = pd.Index(columns)
    name = f"epoch_{epoch}" if sheet.keeps == "sheet" else "Sheet1"
    return Table(sheet.file.format(epoch=epoch), name, frame, header, sheet)


def _arrange(sheet: Sheet, passes: Sequence[Sequence[float]], sizes: Mapping[str, int]) -> list[list[Value]]:
    import numpy as np

    if sheet.layout in ("row", "epoch-per-row"):
        return _pad([list(scores) for scores in passes])
    if sheet.layout == "column":
        return [[value] for scores in passes for value in scores]
    size = sizes[sheet.holds]
    batches = [[list(scores[at : at + size]) for at in range(0, len(scores), size)] for scores in passes]
    if sheet.layout == "batch-per-cell":
        # The script stores arrays of single precision, and the writer takes their text.
        return _pad([[str(np.array(batch, dtype=np.float32)) for batch in epoch] for epoch in batches])
    rows = _pad(batches[0])
    return rows if sheet.layout == "batch-per-row" else [list(column) for column in zip(*rows, strict=True)]


def _pad(rows: Sequence[Sequence[Value]]) -> list[list[Value]]:
    width = max(len(row) for row in rows)
    return [[*row, *[None] * (width - len(row))] for row in rows]


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write the tables into their files."""
    for file in dict.fromkeys(table.file for table in tables):
        write_spreadsheet(folder / file, [_describe_sheet(table) for table in tables if table.file == file])


def _describe_sheet(table: Table) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the values of a table, and how they are written."""
    options = {"header": table.header, "index": table.sheet.index, "index_label": table.sheet.corner}
    return table.frame, {"sheet_name": table.name, **options}
