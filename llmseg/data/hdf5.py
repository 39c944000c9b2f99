"""Stores in one HDF5 file: images and masks as bytes in native size, with ids, groups and where they come from."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from llmseg.data.hdf5_writing import create_hdf5
from llmseg.data.image_digests import digest_image, digest_mask
from llmseg.data.store import Case
from llmseg.errors import UserError
from llmseg.files import replace_file

FORMAT = 1
"""Number of the file format, raised when its meaning changes."""

_COLUMNS = ("ids", "groups", "parts", "contents", "mask_contents")
_BYTES = ("images", "masks")
_INDEX = ("shapes", "starts")
_CHUNK = 2**16
_COMPRESSION_LEVEL = 1


@dataclass(frozen=True)
class PackedCase:
    """A case as a store holds it.

    Attributes:
        id: Its id.
        group: What it belongs to.
        part: Official part, or empty.
        shape: Height, width and channels of the image.
        content: Digest of the image, see :func:`llmseg.data.image_digests.digest_image`.
        mask_content: SHA-256 of the mask.
        image: The image's bytes, compressed piece by piece.
        mask: The mask's bytes.
    """

    id: str
    group: str
    part: str
    shape: tuple[int, int, int]
    content: str
    mask_content: str
    image: tuple[bytes, ...]
    mask: tuple[bytes, ...]


def pack_case(case: Case, group: str, part: str = "") -> PackedCase:
    """Compress a case for a store. Several threads can do that at once.

    Args:
        case: Image and mask.
        group: What it belongs to.
        part: Official part, or empty.
    """
    height, width, *channels = case.image.shape
    return PackedCase(
        case.id,
        group,
        part,
        (height, width, *(channels or [1])),
        digest_image(case.image),
        digest_mask(case.mask),
        _compress(case.image),
        _compress(case.mask),
    )


def _compress(values: np.ndarray) -> tuple[bytes, ...]:
    """Compress bytes in pieces of one length, the last filled up with zeros."""
    content = np.ascontiguousarray(values).tobytes()
    content += bytes(-len(content) % _CHUNK)
    return tuple(
        zlib.compress(content[start : start + _CHUNK], _COMPRESSION_LEVEL) for start in range(0, len(content), _CHUNK)
    )


@dataclass(frozen=True)
class Hdf5Store:
    """A store that ``llmseg data prepare`` wrote.

    The file holds all images one after another in ``images`` and all masks in ``masks`` (uint8, one dimension), and for
    case k its ``shapes[k]`` (height, width, channels), ``starts[k]`` (place of its first byte in each), ``ids[k]``,
    ``groups[k]``, ``parts[k]``, ``contents[k]`` and ``mask_contents[k]`` (SHA-256 of image and mask).

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
        _ = self._positions

    @functools.cached_property
    def _file(self) -> h5py.File:
        try:
            file = h5py.File(self.path, "r", locking=False)
        except OSError as error:
            what = "is damaged or no HDF5 file" if Path(self.path).is_file() else "is not there"
            raise UserError(f"the store {self.path} {what}; make it by llmseg data prepare") from error
        if file.attrs.get("llmseg_store") != FORMAT or not {*_COLUMNS, *_BYTES, *_INDEX, "alone"} <= set(file):
            raise UserError(f"{self.path} is no store of llmseg in format {FORMAT}; make it by llmseg data prepare")
        return file

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {id: place for place, id in enumerate(self._columns["ids"])}

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
        """What each case belongs to: a video, a patient; itself where nothing is known."""
        return dict(zip(self.ids, self._columns["groups"], strict=True))

    @functools.cached_property
    def parts(self) -> Mapping[str, str]:
        """The official part of each case, or an empty string."""
        return dict(zip(self.ids, self._columns["parts"], strict=True))

    @functools.cached_property
    def contents(self) -> Mapping[str, str]:
        """SHA-256 of each case's image, see :func:`llmseg.data.image_digests.digest_image`."""
        return dict(zip(self.ids, self._columns["contents"], strict=True))

    @property
    def digest(self) -> str:
        """SHA-256 over ids, groups, images and masks, 64 hexadecimal digits."""
        return str(self._file.attrs["digest"])

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the cases come from: dataset, licence, layout, options, what stayed alone, versions."""
        record: dict[str, Any] = json.loads(self._file.attrs["provenance"])
        return record

    @functools.cached_property
    def alone(self) -> tuple[str, ...]:
        """Files of the source that have no partner."""
        return tuple(self._column("alone"))

    def read(self, id: str) -> Case:
        """Read one case.

        Raises:
            UserError: The id is unknown, or the file is damaged.
        """
        if id not in self._positions:
            raise UserError(f"no case '{id}' in {self.path}; it has {len(self.ids)}, first '{self.ids[0]}'")
        place = self._positions[id]
        shapes, starts = self._index
        height, width, channels = (int(side) for side in shapes[place])
        image_start, mask_start = (int(start) for start in starts[place])
        damage = UserError(f"{self.path} is damaged at case '{id}'; make it again by llmseg data prepare")
        try:
            image = self._file["images"][image_start : image_start + height * width * channels]
            mask = self._file["masks"][mask_start : mask_start + height * width]
        except OSError as error:
            raise damage from error
        image = image.reshape((height, width) if channels == 1 else (height, width, channels))
        if (digest_image(image), digest_mask(mask)) != (self.contents[id], self._columns["mask_contents"][place]):
            raise damage
        return Case(id, image, mask.reshape(height, width))

    def read_packed(self, id: str) -> PackedCase:
        """Return a case as it lies in the file, to write it into another.

        Raises:
            UserError: The file is damaged.
        """
        place = self._positions[id]
        height, width, channels = (int(side) for side in self._index[0][place])
        lengths = (height * width * channels, height * width)
        image, mask = (
            self._read_chunks(name, int(start), length)
            for name, start, length in zip(("images", "masks"), self._index[1][place], lengths, strict=True)
        )
        facts = (self._columns[name][place] for name in _COLUMNS[1:])
        group, part, content, mask_content = facts
        return PackedCase(id, group, part, (height, width, channels), content, mask_content, image, mask)

    def _read_chunks(self, name: str, start: int, length: int) -> tuple[bytes, ...]:
        row = self._file[name].id
        try:
            return tuple(row.read_direct_chunk((place,))[1] for place in range(start, start + length, _CHUNK))
        except OSError as error:
            raise UserError(f"{self.path} is damaged; make it again by llmseg data prepare") from error


def write_store(
    path: Path, name: str, cases: Iterable[PackedCase], provenance: Mapping[str, Any], alone: Sequence[str] = ()
) -> Hdf5Store:
    """Write a store; it appears as a whole, or not at all.

    Args:
        path: The file; one that is there is replaced.
        name: Name of the dataset.
        cases: In any order. Only one at a time is held.
        provenance: Where they come from; plain values.
        alone: Files of the source that have no partner.

    Raises:
        UserError: There are no cases, two have one id, or the disk is full.
    """
    with replace_file(path) as temporary, create_hdf5(temporary) as (file, disk):
        columns = _sort_by_id(_write_cases(file, disk.stop_at_error(cases)))
        if not columns["ids"]:
            raise UserError(f"no cases for {path}")
        for column in _COLUMNS:
            file.create_dataset(column, data=columns[column], dtype=h5py.string_dtype())
        for column in _INDEX:
            file.create_dataset(column, data=np.array(columns[column], dtype=np.int64))
        file.create_dataset("alone", data=list(alone), dtype=h5py.string_dtype(), shape=(len(alone),))
        file.attrs.update(
            {
                "llmseg_store": FORMAT,
                "name": name,
                "digest": _digest_columns(columns),
                "provenance": json.dumps(dict(provenance)),
            }
        )
    return Hdf5Store(path)


def _write_cases(file: h5py.File, cases: Iterable[PackedCase]) -> dict[str, list[Any]]:
    """Write the bytes of all cases, and return what else the file is to hold of them."""
    columns: dict[str, list[Any]] = {name: [] for name in (*_COLUMNS, *_INDEX)}
    options: dict[str, Any] = {"maxshape": (None,), "chunks": (_CHUNK,), "compression": _COMPRESSION_LEVEL}
    rows = [file.create_dataset(name, (0,), np.uint8, **options) for name in _BYTES]
    for case in cases:
        columns["starts"].append([len(row) for row in rows])
        facts = (case.id, case.group, case.part, case.content, case.mask_content, case.shape)
        for name, value in zip((*_COLUMNS, "shapes"), facts, strict=True):
            columns[name].append(value)
        for row, pieces in zip(rows, (case.image, case.mask), strict=True):
            _append(row, pieces)
    return columns


def _append(row: h5py.Dataset, pieces: Sequence[bytes]) -> None:
    start = len(row)
    row.resize((start + len(pieces) * _CHUNK,))
    for place, piece in enumerate(pieces):
        row.id.write_direct_chunk((start + place * _CHUNK,), piece)


def _sort_by_id(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    order = sorted(range(len(columns["ids"])), key=columns["ids"].__getitem__)
    ids = [columns["ids"][place] for place in order]
    for one, other in itertools.pairwise(ids):
        if one == other:
            raise UserError(f"there are two cases '{one}'; rename one")
    return {name: [column[place] for place in order] for name, column in columns.items()}


def _digest_columns(columns: Mapping[str, Sequence[Any]]) -> str:
    content = [list(columns[name]) for name in ("ids", "groups", "contents", "mask_contents")]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
