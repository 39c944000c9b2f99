"""The datasets of a study file: where their cases are, and which of them are held out."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmseg.data.catalog import dataset_names
from llmseg.data.folder import FolderStore
from llmseg.data.folds import load_folds
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.holdout import Holdout
from llmseg.data.reading import Reading
from llmseg.data.store import Store
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError
from llmseg.files import clean_name
from llmseg.study.file.keys import Kind, check_table

_KINDS: Mapping[str, Kind] = {
    **{"data": "path", "images": "path", "masks": "path", "mask_suffix": "text", "group": "text", "groups": "path"},
    **{"synthetic": "text", "cases": "whole", "holdout": "path"},
}
_PATHS = tuple(key for key, kind in _KINDS.items() if kind == "path")
_OF_READING = tuple(item.name for item in dataclasses.fields(Reading))
_FOLDERS = ("masks", "mask_suffix", "group", "groups", "reading")
"""What says how a folder of images is read, and nothing to a store or to phantoms."""


@dataclass(frozen=True, kw_only=True)
class StudyDataset:
    """A dataset of a study: a store, folders or phantoms.

    Attributes:
        name: What folders and tables call it.
        data: A store that ``llmseg data prepare`` wrote.
        images: Folder of images.
        masks: Folder of masks; ``None`` for that of the images.
        mask_suffix: What a mask's name has after the image's.
        group: Pattern that finds a case's group in its name.
        groups: Table of groups, CSV.
        synthetic: Modality of phantoms.
        cases: Number of phantoms.
        holdout: Manifest of test cases, or folder of folds, that ``llmseg data split`` wrote; ``None`` to draw them.
        reading: How pixels are read, by the fields of :class:`llmseg.data.Reading`.
    """

    name: str
    data: Path | None = None
    images: Path | None = None
    masks: Path | None = None
    mask_suffix: str | None = None
    group: str | None = None
    groups: Path | None = None
    synthetic: str | None = None
    cases: int = 24
    holdout: Path | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, table: Any, folder: Path, origin: str) -> StudyDataset:
        """Read a table of a study file.

        Args:
            name: Name of the dataset.
            table: Its values; fields of :class:`llmseg.data.Reading` stand beside the others.
            folder: What places are relative to.
            origin: What messages call the file.

        Raises:
            UserError: A key or a value is not allowed, or the cases are named in several ways or in none.
        """
        if name != clean_name(name, also="-_."):
            raise UserError(f"{origin}: dataset '{name}' names a folder; use letters, digits, and - _ . only")
        check_table(table, {**_KINDS, **dict.fromkeys(_OF_READING, "rule")}, f"{origin}, dataset {name}")
        values = {key: folder / value if key in _PATHS else value for key, value in table.items() if key in _KINDS}
        reading = {key: value for key, value in table.items() if key in _OF_READING}
        dataset = cls(name=name, reading=reading, **values)
        dataset.check(f"{origin}, dataset {name}")
        return dataset

    def check(self, origin: str) -> None:
        """Raise :class:`UserError` unless the cases are named in one way, with what goes with it."""
        ways = [way for way in ("data", "images", "synthetic") if getattr(self, way) is not None]
        if len(ways) != 1:
            given = " and ".join(ways) or "none of them"
            raise UserError(f"{origin}: give one of data, images and synthetic; there is {given}")
        useless = [key for key in _FOLDERS if getattr(self, key) and self.images is None]
        if useless:
            raise UserError(f"{origin}: {useless[0]} says how folders of images are read, and {ways[0]} is none")

    @property
    def missing(self) -> str:
        """What is not there, and how to get it; empty if all is."""
        for path in (getattr(self, key) for key in _PATHS):
            if path is not None and not path.exists():
                name = self.name if self.name in dataset_names() else "NAME"
                prepare = f"llmseg data prepare {name} --root DOWNLOAD --out {shlex.quote(str(path))} makes it"
                made = prepare if path == self.data else "put it there"
                return f"{self.name}: {path} is missing; {made}, or leave the dataset out"
        return ""

    def open(self) -> Store:
        """Return the cases.

        Raises:
            UserError: They are missing or cannot be read.
        """
        if self.missing:
            raise UserError(self.missing)
        if self.data is not None:
            return Hdf5Store(self.data)
        if self.synthetic is not None:
            return SyntheticStore(self.synthetic, count=self.cases)
        assert self.images is not None, "checked when it was read"
        return FolderStore(
            self.images,
            self.masks or self.images,
            mask_suffix=self.mask_suffix,
            reading=Reading(**self.reading),
            group=self.group,
            group_table=self.groups,
        )

    def load_folds(self) -> tuple[Holdout, ...]:
        """Return the test cases that are named: one held-out test set or folds; nothing if none are named."""
        return () if self.holdout is None else load_folds(self.holdout)
