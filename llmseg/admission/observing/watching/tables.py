"""Tables of numbers that a script writes: those of pandas and openpyxl, and files of text.

A file of text may be written by any library, or line by line. So it is read when the script has ended.
"""

from __future__ import annotations

import atexit
import csv
import functools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmseg.admission.observing.watching.imports import Action
    from llmseg.admission.observing.watching.journal import Journal

_TEXTS = (".csv", ".tsv", ".json")
_MOST_CELLS, _MOST_BYTES = 4000, 200_000

Rows = list[list[float | None]]


def watch(journal: Journal, after_import: Callable[[str, Action], None]) -> Callable[[str], None]:
    """Record tables from now on; return what has to be told of each file that is opened to be written."""
    written: dict[str, str] = {}

    def note(path: str) -> None:
        if path.lower().endswith(_TEXTS):
            written.setdefault(str(Path(path).absolute()), journal.place())

    def read() -> None:
        if not journal.forked:
            for path, place in written.items():
                journal.guarded(_record_text)(journal, Path(path), place)

    atexit.register(read)
    after_import("pandas", lambda pandas: _watch_pandas(journal, pandas))
    after_import("openpyxl.workbook.workbook", lambda module: _watch_openpyxl(journal, module))
    return note


def _record_text(journal: Journal, path: Path, place: str) -> None:
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return
    for rows in read_tables(path.read_text(encoding="utf-8", errors="replace"), path.suffix.lower()):
        if sum(map(len, rows)) <= _MOST_CELLS:
            journal.write("table", path=str(path), rows=rows, place=place)


def read_tables(text: str, suffix: str) -> Iterator[Rows]:
    r"""Yield the numbers of the tables in a text, row by row; what is no number is ``None``.

    Args:
        text: The text.
        suffix: ``".csv"``, ``".tsv"`` or ``".json"``.

    Example:
        >>> list(read_tables("epoch,loss\n1,0.5\n", ".csv"))
        [[[None, None], [1.0, 0.5]]]
        >>> list(read_tables('{"dice": [0.25, 0.5], "name": "a"}', ".json"))
        [[[0.25, 0.5]]]
    """
    if suffix != ".json":
        yield [[_to_number(cell) for cell in row] for row in csv.reader(text.splitlines(), delimiter=_find_mark(text))]
        return
    try:
        value = json.loads(text)
    except ValueError:
        return
    yield from _find_tables(value)


def _find_mark(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _find_tables(value: Any) -> Iterator[Rows]:
    """Yield the lists of numbers in values of JSON, each a table of one row, and lists of records as tables."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _find_tables(inner)
    elif isinstance(value, list) and value and all(isinstance(each, dict | list) for each in value):
        rows = [[*each.values()] if isinstance(each, dict) else each for each in value]
        yield _to_numbers(rows)
        for each in value:
            yield from _find_tables(each) if isinstance(each, dict) else ()
    elif isinstance(value, list):
        yield _to_numbers([value])


def _to_number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _watch_pandas(journal: Journal, pandas: ModuleType) -> None:
    def record(table: Any, path: Any) -> None:
        cells = [list(table.columns), *table.to_numpy().tolist()] if table.size <= _MOST_CELLS else []
        journal.write("table", path=_name(path), rows=_to_numbers(cells), place=journal.place())

    record = journal.guarded(record)
    _record_before(pandas.DataFrame, "to_excel", record)


def _watch_openpyxl(journal: Journal, module: ModuleType) -> None:
    def record(book: Any, path: Any) -> None:
        for sheet in book.worksheets:
            if sheet.max_row * sheet.max_column <= _MOST_CELLS:
                rows = _to_numbers(sheet.iter_rows(values_only=True))
                journal.write("table", path=_name(path), rows=rows, place=journal.place())

    _record_before(module.Workbook, "save", journal.guarded(record))


def _record_before(owner: type, name: str, record: Callable[..., None]) -> None:
    write = getattr(owner, name)

    @functools.wraps(write)
    def writing(self: Any, *arguments: Any, **named: Any) -> Any:
        record(self, arguments[0] if arguments else next(iter(named.values()), None))
        return write(self, *arguments, **named)

    setattr(owner, name, writing)


def _name(path: Any) -> str:
    """Return the path that pandas or openpyxl was given; a writer of pandas has one."""
    return os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""


def _to_numbers(rows: Any) -> Rows:
    """Return a table with nothing but its numbers."""
    return [[float(cell) if isinstance(cell, int | float) else None for cell in row] for row in rows]
