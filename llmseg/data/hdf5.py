"""A store in one HDF5 file: images and masks as bytes in native size, with ids, groups and where they come from.

How a case is compressed, and why its bytes go from file to file as they are, is said in
:mod:`llmseg.data.packed_case`.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from llmseg.data import packed_case
from llmseg.data.hdf5_check import FILE_DIGEST, check_cases, check_layout
from llmseg.data.hdf5_writing import create_hdf5
from llmseg.data.image_digests import digest_image, digest_mask
from llmseg.data.packed_case import PackedCase
from llmseg.data.store import Case
from llmseg.errors import UserError
from llmseg.files import nearest_path, replace_file

FORMAT = 1
"""Number of the file format, raised when its meaning changes."""

# What the file holds, besides the list ``alone``: texts for each case, rows of bytes, numbers for each case.
_COLUMNS = ("ids", "groups", "parts", "contents", "mask_contents")
_BYTES = ("images", "masks")
_INDEX = ("shapes", "starts")


@dataclass(frozen=True)
class Hdf5Store:
    """A store that ``llmseg data prepare`` wrote.

    The file holds all images one after another in ``images`` and all masks in ``masks``, uint8 of one dimension. Case k
    has its shape in ``shapes[k]`` (height, width, channels) and its first byte at ``starts[k]`` (in ``images``, in
    ``masks``). The rest of it is in ``ids[k]``, ``groups[k]``, ``parts[k]``, ``contents[k]`` and ``mask_contents[k]``,
    of which the last two are SHA-256 of image and mask.

    Attributes:
        path: The file.

    Raises:
        UserError: There is no such file, or it is no store.

    Example:
        >>> store = Hdf5Store("hrf.h5")  # doctest: +SKIP
        >>> store.read(store.ids[0]).image.shape  # doctest: +SKIP
        (2336, 3504, 3)
    """

    path: Path | str

    def __post_init__(self) -> None:
        try:
            columns = self._columns
            check_cases(self.path, self._file, columns, _digest_columns(columns), self.file_digest)
        except (OSError, RuntimeError, ValueError, KeyError) as error:  # a UserError is a ValueError, too
            if isinstance(error, UserError):
                raise
            detail = " ".join(str(error).split())
            raise UserError(f"{self.path} is damaged ({detail}); make it again by llmseg data prepare") from error

    @functools.cached_property
    def _file(self) -> h5py.File:
        try:
            file = h5py.File(self.path, "r", locking=False)
        except OSError as error:
            what = (
                "is damaged or no HDF5 file" if Path(self.path).is_file() else f"is not there{nearest_path(self.path)}"
            )
            if what.startswith("is damaged") and Path(self.path).suffix == ".json":
                what = "is a JSON file; a manifest of test cases is given by --holdout"
            raise UserError(f"the store {self.path} {what}; make it by llmseg data prepare") from error
        if file.attrs.get("llmseg_store") != FORMAT or not {*_COLUMNS, *_BYTES, *_INDEX, "alone"} <= set(file):
            raise UserError(f"{self.path} is no store of llmseg in format {FORMAT}; make it by llmseg data prepare")
        check_layout(self.path, file, _COLUMNS)
        return file

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {id: position for position, id in enumerate(self._columns["ids"])}

    @functools.cached_property
    def _columns(self) -> dict[str, list[str]]:
        return {name: self._column(name) for name in _COLUMNS}

    def _column(self, name: str) -> list[str]:
        values: list[str] = self._file[name].asstr()[()].tolist()
        return values

    @functools.cached_property
    def _index(self) -> tuple[np.ndarray, np.ndarray]:
        return self._file["shapes"][()], self._file["starts"][()]

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return str(self._file.attrs["name"])

    @property
    def ids(self) -> tuple[str, ...]:
        """Case ids, sorted."""
        return tuple(self._positions)

    @functools.cached_property
    def groups(self) -> Mapping[str, str]:
        """What each case belongs to, such as a video or a patient; where that is not known, each is its own group."""
        return dict(zip(self.ids, self._columns["groups"], strict=True))

    @functools.cached_property
    def parts(self) -> Mapping[str, str]:
        """The official part of each case (``training``, ``validation``, ``test``), or an empty string."""
        return dict(zip(self.ids, self._columns["parts"], strict=True))

    @functools.cached_property
    def contents(self) -> Mapping[str, str]:
        """SHA-256 of each case's image, see :func:`llmseg.data.image_digests.digest_image`."""
        return dict(zip(self.ids, self._columns["contents"], strict=True))

    @property
    def digest(self) -> str:
        """SHA-256 over ids, groups, images and masks, 64 hexadecimal digits."""
        return str(self._file.attrs["digest"])

    @functools.cached_property
    def file_digest(self) -> str:
        """SHA-256 over all that the file holds but the pixels themselves: also shapes, parts, name, provenance.

        The digest leaves some of it out, because equal cases have equal digests, whoever prepared them.
        """
        tables = {name: dataset.tolist() for name, dataset in zip(_INDEX, self._index, strict=True)}
        return _digest_file(self._columns | tables, self.unpaired, self._file.attrs)

    @property
    def has_file_digest(self) -> bool:
        """Whether the file says its own :attr:`file_digest`; those of earlier versions do not."""
        return FILE_DIGEST in self._file.attrs

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the cases come from: dataset, licence, citation, layout, options, notes, version of llmseg."""
        provenance: dict[str, Any] = json.loads(self._file.attrs["provenance"])
        return provenance

    @functools.cached_property
    def unpaired(self) -> tuple[str, ...]:
        """Files of the download that have no partner: images without a mask, masks without an image."""
        return tuple(self._column("alone"))

    def read(self, id: str) -> Case:
        """Read one case, and check that its pixels are those that were written.

        Raises:
            UserError: The id is unknown, or the file is damaged.
        """
        if id not in self._positions:
            raise UserError(f"no case '{id}' in {self.path}; it has {len(self.ids)}, first '{self.ids[0]}'")
        position = self._positions[id]
        shapes, starts = self._index
        height, width, channels = (int(side) for side in shapes[position])
        image_start, mask_start = (int(start) for start in starts[position])
        damage = UserError(f"{self.path} is damaged at case '{id}'; make it again by llmseg data prepare")
        try:
            image = self._file["images"][image_start : image_start + height * width * channels]
            mask = self._file["masks"][mask_start : mask_start + height * width]
        except OSError as error:
            raise damage from error
        image = image.reshape((height, width) if channels == 1 else (height, width, channels))
        if (digest_image(image), digest_mask(mask)) != (self.contents[id], self._columns["mask_contents"][position]):
            raise damage
        return Case(id, image, mask.reshape(height, width))

    def read_packed(self, id: str) -> PackedCase:
        """Return a case as it lies in the file, compressed, to write it into another.

        Raises:
            UserError: The file is damaged.
        """
        position = self._positions[id]
        height, width, channels = (int(side) for side in self._index[0][position])
        lengths = (height * width * channels, height * width)
        image, mask = (
            self._read_chunks(name, int(start), length)
            for name, start, length in zip(("images", "masks"), self._index[1][position], lengths, strict=True)
        )
        group, part, content, mask_content = (self._columns[name][position] for name in _COLUMNS[1:])
        return PackedCase(id, group, part, (height, width, channels), content, mask_content, image, mask)

    def _read_chunks(self, name: str, start: int, length: int) -> tuple[bytes, ...]:
        row = self._file[name].id
        try:
            return tuple(
                row.read_direct_chunk((first,))[1] for first in range(start, start + length, packed_case.CHUNK)
            )
        except OSError as error:
            raise UserError(f"{self.path} is damaged; make it again by llmseg data prepare") from error


def write_store(
    path: Path, name: str, cases: Iterable[PackedCase], provenance: Mapping[str, Any], unpaired: Sequence[str] = ()
) -> Hdf5Store:
    """Write a store; it appears as a whole, or not at all.

    Args:
        path: The file. One that is there already is replaced.
        name: Name of the dataset.
        cases: In any order. Only one at a time is held in memory.
        provenance: Where they come from, as values that :mod:`json` writes.
        unpaired: Files of the download that have no partner.

    Raises:
        UserError: There are no cases, two have the same id, or the disk is full.

    Example:
        >>> import tempfile
        >>> from llmseg import SyntheticStore
        >>> from llmseg.data.packed_case import pack_case
        >>> phantoms = SyntheticStore("fundus", count=2)
        >>> cases = (pack_case(phantoms.read(id), phantoms.groups[id]) for id in phantoms.ids)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = write_store(Path(folder) / "phantoms.h5", "phantoms", cases, {"drawn": True})
        ...     store.ids, store.provenance
        (('001.png', '002.png'), {'drawn': True})
    """
    with replace_file(path) as temporary, create_hdf5(temporary) as (file, guarded):
        columns = _sort_by_id(_write_cases(file, guarded.stop_at_error(cases)))
        if not columns["ids"]:
            raise UserError(f"no cases for {path}")
        for column in _COLUMNS:
            file.create_dataset(column, data=columns[column], dtype=h5py.string_dtype())
        for column in _INDEX:
            file.create_dataset(column, data=np.array(columns[column], dtype=np.int64))
        file.create_dataset("alone", data=list(unpaired), dtype=h5py.string_dtype(), shape=(len(unpaired),))
        file.attrs.update(
            {
                "llmseg_store": FORMAT,
                "name": name,
                "digest": _digest_columns(columns),
                "provenance": json.dumps(dict(provenance)),
            }
        )
        file.attrs[FILE_DIGEST] = _digest_file(columns, unpaired, file.attrs)
    return Hdf5Store(path)


def _write_cases(file: h5py.File, cases: Iterable[PackedCase]) -> dict[str, list[Any]]:
    """Write the bytes of all cases, and return what else the file is to hold of them."""
    columns: dict[str, list[Any]] = {name: [] for name in (*_COLUMNS, *_INDEX)}
    options: dict[str, Any] = {
        "maxshape": (None,),
        "chunks": (packed_case.CHUNK,),
        "compression": packed_case.COMPRESSION_LEVEL,
    }
    rows = [file.create_dataset(name, (0,), np.uint8, **options) for name in _BYTES]
    for case in cases:
        columns["starts"].append([len(row) for row in rows])
        facts = (case.id, case.group, case.part, case.content, case.mask_content, case.shape)
        for name, value in zip((*_COLUMNS, "shapes"), facts, strict=True):
            columns[name].append(value)
        for row, chunks in zip(rows, (case.image, case.mask), strict=True):
            _append(row, chunks)
    return columns


def _append(row: h5py.Dataset, chunks: Sequence[bytes]) -> None:
    start = len(row)
    row.resize((start + len(chunks) * packed_case.CHUNK,))
    # Written as they are, past the library's own compression: see :mod:`llmseg.data.packed_case`.
    for index, chunk in enumerate(chunks):
        row.id.write_direct_chunk((start + index * packed_case.CHUNK,), chunk)


def _sort_by_id(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    order = sorted(range(len(columns["ids"])), key=columns["ids"].__getitem__)
    ids = [columns["ids"][position] for position in order]
    for id, following in itertools.pairwise(ids):
        if id == following:
            raise UserError(f"there are two cases '{id}'; rename one")
    return {name: [column[position] for position in order] for name, column in columns.items()}


def _digest_columns(columns: Mapping[str, Sequence[Any]]) -> str:
    # What the digest leaves out (official part, provenance, order of writing) changes no training.
    content = [list(columns[name]) for name in ("ids", "groups", "contents", "mask_contents")]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _digest_file(columns: Mapping[str, Sequence[Any]], unpaired: Sequence[str], attributes: Mapping[str, Any]) -> str:
    content = [
        [list(columns[name]) for name in _COLUMNS],
        [[[int(number) for number in row] for row in columns[name]] for name in _INDEX],
        list(unpaired),
        [str(attributes[name]) for name in ("name", "digest", "provenance")],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
