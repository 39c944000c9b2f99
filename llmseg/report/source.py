"""Reading what a report is about: scores and runs from folders, tables of scores from files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from llmseg.errors import UserError
from llmseg.files import as_list
from llmseg.stats.columns import BASE
from llmseg.stats.table import Table
from llmseg.study.collected.record import holds_collected
from llmseg.study.results import Results, read_results

_FILL: dict[str, str | int] = {"variant": BASE, "seed": 0, "phase": "test"}
_READERS = {".csv": Table.from_csv, ".parquet": Table.from_parquet}


def read_sources(paths: str | Path | Iterable[str | Path]) -> Results:
    """Read folders of studies, runs and evaluations, and tables of scores in CSV or parquet files.

    Args:
        paths: Folders and files, any number of each. Files may lack the columns ``variant``, ``seed`` and ``phase``. A
            file of a collected study stands for its folder.

    Raises:
        UserError: A path holds nothing of that kind, there are no scores, or scores cannot be put into one table.

    Example:
        >>> read_sources(["studies/brain", "others.csv"]).table  # doctest: +SKIP
        Table(2400 rows: 5 contenders, 1 dataset, 3 seeds, 160 cases, 1 measure)
    """
    given = [Path(path) for path in as_list(paths)]
    if not given:
        raise UserError("nothing to report; name folders that llmseg compare wrote, or a table of scores")
    # A file of a collected study stands for all of it: its scores alone would have every case at two sizes.
    given = [path.parent if path.is_file() and holds_collected(path.parent) else path for path in given]
    files = [path for path in given if path.is_file()]
    folders = [path for path in given if not path.is_file()]
    results = read_results(folders) if folders else Results(None, ())
    tables = [*([results.table] if results.table else []), *(_read_file(path) for path in files)]
    if not tables:
        _ = results.scores  # raises the error of folders without scores
    return Results(_join(tables), results.runs, results.prepared_as)


def _read_file(path: Path) -> Table:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path} is no table of scores; files may end in .csv or .parquet, else name a folder")
    return reader(path, fill=_FILL)


def _join(tables: Sequence[Table]) -> Table:
    if len(tables) == 1:
        return tables[0]
    joined = Table.from_frame(pd.concat([table.frame for table in tables], ignore_index=True))
    return Table(joined.frame, tuple(dict.fromkeys(remark for table in tables for remark in table.remarks)))
