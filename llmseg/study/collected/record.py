"""``collected.json``, which makes a folder a collected study; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmseg.errors import UserError
from llmseg.files import read_json
from llmseg.files.fields import DAMAGED
from llmseg.files.folders import find_folders
from llmseg.study.collected.cell import CollectedCell, CollectedStudy, digest_json, read_cell, read_study
from llmseg.study.record import is_study

MARK = "collected.json"

NEW = ".llmseg-new"
"""Folder in which new files of a collected study are written before they are moved to their places."""

_VERSION = 1
_FIELDS = {
    **{"collected": int, "files": dict[str, str], "studies": dict, "cells": dict, "recipes": dict},
    "digest?": str,  # the first collected studies had none
}


@dataclass(frozen=True)
class CollectedRecord:
    """The content of ``collected.json``.

    Attributes:
        files: SHA-256 of the other files, by their names.
        studies: What was to be trained, by the keys of the studies.
        cells: The cells by their keys, in their order.
        recipes: The recipes as dictionaries, by their digests.
    """

    files: Mapping[str, str]
    studies: Mapping[str, CollectedStudy]
    cells: Mapping[str, CollectedCell]
    recipes: Mapping[str, Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return what the file holds, with a digest of all of it."""
        content = {
            "collected": _VERSION,
            "files": dict(self.files),
            "studies": {key: study.to_dict() for key, study in self.studies.items()},
            "cells": {key: cell.to_dict() for key, cell in self.cells.items()},
            "recipes": dict(self.recipes),
        }
        return {**content, "digest": digest_json(content)}


def holds_collected(folder: Path) -> bool:
    """Return whether a folder holds a collected study."""
    return find_file(folder, MARK).is_file()


def find_file(folder: Path, name: str) -> Path:
    """Return where a file of a collected study is: if a process was killed while it moved new files, the new one."""
    new = folder / NEW
    return new / name if (new / MARK).is_file() and (new / name).is_file() else folder / name


def find_collected(folder: Path, depth: int = 3) -> Iterator[Path]:
    """Yield the collected studies in a folder: the folder itself, or those some levels down, by name."""
    found = find_folders(folder, lambda inner: holds_collected(inner) or is_study(inner), depth)
    return filter(holds_collected, found)  # there is none in a study


def read_collected_record(folder: Path) -> CollectedRecord:
    """Return the content of the ``collected.json`` of a folder.

    Raises:
        UserError: There is none, it is damaged, or a later version wrote it.
    """
    if not holds_collected(folder):
        raise UserError(f"{folder} holds no collected study; make one by llmseg study collect")
    path = find_file(folder, MARK)
    record = read_json(path, _FIELDS)
    if record["collected"] != _VERSION:
        raise UserError(f"{path} was written by a later version of llmseg; update llmseg")
    studies = {key: read_study(path, key, content) for key, content in record["studies"].items()}
    cells = {key: read_cell(path, key, content) for key, content in record["cells"].items()}
    for key, cell in cells.items():
        if cell.study not in studies or cell.recipe not in (None, *record["recipes"]):
            raise UserError(f"{path} is damaged: it lacks the study or the recipe of cell {key}; {DAMAGED}")
    digest = record.pop("digest", None)
    if digest not in (None, digest_json(record)):
        raise UserError(f"{path} was changed after llmseg wrote it; {DAMAGED}")
    return CollectedRecord(record["files"], studies, cells, record["recipes"])
