"""Spreadsheets whose bytes depend on their content only."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.files import write_bytes

if TYPE_CHECKING:
    import pandas as pd


def write_spreadsheet(path: Path, sheets: Iterable[tuple[pd.DataFrame, Mapping[str, Any]]]) -> None:
    """Write sheets into a file, without the time, so that equal runs give equal bytes.

    Args:
        path: The file.
        sheets: The values of each sheet, with the options that ``pandas.DataFrame.to_excel`` takes.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    import pandas as pd

    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as writer:
        for frame, options in sheets:
            frame.to_excel(writer, **options)
    write_bytes(path, _without_times(buffer.getvalue()))


def _without_times(sheet: bytes) -> bytes:
    """Return a spreadsheet without the times at which it was written.

    A spreadsheet is a zip archive. Its members have times, and ``docProps/core.xml`` tells two more.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet)) as archive, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in archive.namelist():
            member = archive.read(name)
            if name == "docProps/core.xml":
                member = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z", member)
            copy.writestr(zipfile.ZipInfo(name), member, zipfile.ZIP_DEFLATED)  # ZipInfo: 1980 without another time
    return content.getvalue()
