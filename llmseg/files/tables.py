"""Reading tables that llmseg wrote: which column of which file lacks, or holds something else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from llmseg.errors import UserError
from llmseg.files.fields import DAMAGED
from llmseg.files.limits import FILE_BYTES

if TYPE_CHECKING:
    import pandas as pd

Columns: TypeAlias = Mapping[str, Literal["any", "number", "whole"]]
"""What a table must have: columns of ``any`` content, of a ``number`` or nothing, of a ``whole`` number from 0."""

_LARGEST = 2**53  # whole numbers up to here are kept by a float


def read_table(path: Path, columns: Columns) -> pd.DataFrame:
    r"""Return the table in a CSV file, with the types that its content has.

    Args:
        path: The file.
        columns: What the table must have.

    Raises:
        UserError: The file cannot be read, is no CSV, lacks a column, or has something else in it; the message names
            the column and the first row.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "counts.csv"
        >>> _ = path.write_text("case,tp\na.png,many\n")
        >>> read_table(path, {"tp": "whole"})
        Traceback (most recent call last):
        llmseg.errors.UserError: ...counts.csv is damaged: 'tp' is 'many' in row 1, not a whole number; put it back ...
    """
    import pandas as pd

    try:
        FILE_BYTES.check(path.stat().st_size, f"{path} has")
        frame = pd.read_csv(path)
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; {DAMAGED}") from error
    except (ValueError, OverflowError) as error:  # no text, or rows that are no table
        why = " ".join(str(error).split())
        raise UserError(f"{path} is damaged: it holds no CSV ({why}); {DAMAGED}") from error
    for name, kind in columns.items():
        if name not in frame.columns:
            raise UserError(f"{path} is damaged: it has no column '{name}'; {DAMAGED}")
        if kind != "any" and len(frame):
            _check_column(path, frame[name], kind)
    return frame


def _check_column(path: Path, column: pd.Series, kind: str) -> None:
    import pandas as pd

    # As texts, because pandas makes no float of a whole number of 400 digits, but does of its text.
    plain = pd.api.types.is_numeric_dtype(column)
    numbers = column if plain else pd.to_numeric(column.astype(str), errors="coerce")
    if kind == "whole":
        wrong = ~((numbers >= 0) & (numbers <= _LARGEST) & (numbers == numbers.round()))
    else:
        wrong = numbers.isna() & column.notna()
    if wrong.any() or column.dtype == bool:
        row = int(wrong.to_numpy().argmax())
        what = "a whole number" if kind == "whole" else "a number"
        given = str(column.iloc[row])[:40]
        raise UserError(f"{path} is damaged: '{column.name}' is '{given}' in row {row + 1}, not {what}; {DAMAGED}")
