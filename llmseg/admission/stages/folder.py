"""The folder of an admission: what is decided is written at once, so that a second start goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout

from llmseg.errors import UserError
from llmseg.files import check_kind, check_writable, make_folder, read_json, read_json_if_any, write_text
from llmseg.files.locks import hold_lock

RECORD = "admission.json"


@dataclass(frozen=True)
class AdmissionFolder:
    """A folder in which an admission keeps what it has decided.

    Attributes:
        path: The folder.
        asked: What is admitted, and how.
    """

    path: Path
    asked: dict[str, Any]

    def keep(self, name: str, decide: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what was decided under a name, in this start or an earlier one.

        Args:
            name: The name of its file, without extension, such as ``"extraction"``.
            decide: Decides it, if nobody has. What has ``is_final`` as false is decided again in the next start.
        """
        path = self.path / f"{name}.json"
        kept = read_json_if_any(path)
        if not kept or not kept.get("is_final", True):
            self.write(name, decide())
            kept = read_json(path)
        return kept

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Write a record under a name, with the digest of the scripts."""
        path = self.path / f"{name}.json"
        make_folder(path.parent)
        write_text(path, json.dumps({"scripts": self.asked["scripts"], **record}, indent=2) + "\n")


@contextmanager
def open_folder(path: Path, asked: dict[str, Any]) -> Iterator[AdmissionFolder]:
    """Give the block the folder of an admission, which no other process has at the same time.

    Args:
        path: The folder; a new one, or that of an admission of the same.
        asked: What is admitted, and how.

    Raises:
        UserError: The folder holds something else, cannot be written, or another process works on it.
    """
    check_writable(path)
    found = read_json_if_any(path / RECORD) if path.is_dir() else {}
    check_kind(path, "admission", holds=bool(found), record=RECORD)
    differing = next((name for name, value in asked.items() if found and found.get(name, "") != value), None)
    if differing is not None:
        kinds = {"scripts": "of other scripts", "start": "that was started otherwise"}
        what = kinds.get(differing, f"with {differing} {found.get(differing)}")
        raise UserError(f"{path} holds an admission {what}; choose another --out")
    make_folder(path)
    try:
        with hold_lock(path / "admission.lock", advice="choose another --out"):
            write_text(path / RECORD, json.dumps(asked, indent=2) + "\n")
            yield AdmissionFolder(path, asked)
    except Timeout:
        raise UserError(
            f"{path}: another process works on this admission; wait for it, or choose another --out"
        ) from None
