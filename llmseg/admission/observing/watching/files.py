"""Files that a script opens."""

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


def watch(journal: Journal, after_import: Callable[[str, Action], None], note: Callable[[str], None]) -> None:
    """Record files from now on.

    Args:
        journal: Where they are written down.
        after_import: Acts on a module when it has been imported.
        note: Is given the path of each file that is opened to be written.
    """

    def opened(path: Any, writes: bool) -> None:
        name = os.fspath(path)
        name = os.fsdecode(name) if isinstance(name, bytes) else name
        if writes:
            note(name)
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
