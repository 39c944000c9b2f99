"""Files that a script opens, and the tables that it writes."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmseg.admission.observing.watching.imports import Action
    from llmseg.admission.observing.watching.journal import Journal

_READ_IN_C = {
    "cv2": ("imread", "imreadmulti"),
    "torchvision.io": ("read_image", "decode_image", "read_file"),
}
"""Functions that open files without Python's ``open``."""

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".npy", ".npz", ".nii", ".gz", ".pth", ".pt")
_COPYING = ("shutil", "zipfile", "tarfile", "filecmp", "hashlib")
_MOST_CELLS = 4000


def watch(journal: Journal, after_import: Callable[[str, Action], None]) -> None:
    """Record files from now on."""

    def opened(path: Any, writes: bool) -> None:
        name = os.fspath(path)
        name = os.fsdecode(name) if isinstance(name, bytes) else name
        if not name.lower().endswith(_ENDINGS):
            return
        size = Path(name).stat().st_size if not writes and Path(name).exists() else 0
        journal.write("open", path=name, writes=writes, size=size, copies=_is_copying(), place=journal.place())

    record = journal.guarded(opened)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            mode, flags = arguments[1], arguments[2]
            record(
                arguments[0],
                bool(flags & (os.O_WRONLY | os.O_RDWR)) if mode is None else not set(mode).isdisjoint("wax+"),
            )

    sys.addaudithook(hook)
    for module, names in _READ_IN_C.items():
        after_import(module, functools.partial(_wrap_readers, names=names, record=record))
    after_import("pandas", lambda pandas: _watch_pandas(journal, pandas))
    after_import("openpyxl.workbook.workbook", lambda module: _watch_openpyxl(journal, module))


def _is_copying() -> bool:
    """Return whether a file is opened by what copies files and does not look into them."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_globals.get("__name__") in _COPYING:
            return True
    return False


def _wrap_readers(module: ModuleType, names: tuple[str, ...], record: Callable[[Any, bool], None]) -> None:
    for name in names:
        read = getattr(module, name, None)
        if read is not None:
            setattr(module, name, _wrap(read, record))


def _wrap(read: Callable[..., Any], record: Callable[[Any, bool], None]) -> Callable[..., Any]:
    @functools.wraps(read)
    def reading(*arguments: Any, **named: Any) -> Any:
        path = arguments[0] if arguments else next(iter(named.values()), None)
        if isinstance(path, str | os.PathLike):
            record(path, False)
        return read(*arguments, **named)

    return reading


def _watch_pandas(journal: Journal, pandas: ModuleType) -> None:
    def record(table: Any, path: Any) -> None:
        cells = [list(table.columns), *table.to_numpy().tolist()] if table.size <= _MOST_CELLS else []
        journal.write("table", path=str(path), rows=_to_numbers(cells), place=journal.place())

    record = journal.guarded(record)
    for name in ("to_excel", "to_csv"):
        _record_before(pandas.DataFrame, name, record)


def _watch_openpyxl(journal: Journal, module: ModuleType) -> None:
    def record(book: Any, path: Any) -> None:
        for sheet in book.worksheets:
            if sheet.max_row * sheet.max_column <= _MOST_CELLS:
                rows = _to_numbers(sheet.iter_rows(values_only=True))
                journal.write("table", path=str(path), rows=rows, place=journal.place())

    _record_before(module.Workbook, "save", journal.guarded(record))


def _record_before(owner: type, name: str, record: Callable[..., None]) -> None:
    write = getattr(owner, name)

    @functools.wraps(write)
    def writing(self: Any, *arguments: Any, **named: Any) -> Any:
        record(self, arguments[0] if arguments else next(iter(named.values()), None))
        return write(self, *arguments, **named)

    setattr(owner, name, writing)


def _to_numbers(rows: Any) -> list[list[float | None]]:
    """Return a table with nothing but its numbers."""
    return [[float(cell) if isinstance(cell, int | float) else None for cell in row] for row in rows]
