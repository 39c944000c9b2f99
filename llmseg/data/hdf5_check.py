"""What a store's file must hold: read once when it is opened, because the file may come from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from llmseg.data.opening import check_size
from llmseg.errors import UserError

MAX_CASES = 10_000_000
"""More cases than any store has; a file can claim any number without holding them."""

FILE_DIGEST = "file_digest"
"""Name of the attribute that holds the digest of all but the pixels. Files of earlier versions have none."""

_AGAIN = "make it again by llmseg data prepare"


def check_layout(path: Path | str, file: h5py.File, columns: Sequence[str]) -> None:
    """Refuse a file whose datasets or attributes are not of the kind that a store has, before any of them is read.

    Args:
        path: What messages call the file.
        file: The file.
        columns: Names of the datasets that hold a text for each case.

    Raises:
        UserError: One of them is; the message names it.
    """

    def refuse(name: str, problem: str) -> None:
        raise UserError(f"{path} is no store of llmseg: '{name}' {problem}; {_AGAIN}")

    for name in ("name", "digest", "provenance"):
        if not isinstance(file.attrs.get(name), str):
            refuse(name, "is no text" if name in file.attrs else "is missing")
    try:
        provenance = json.loads(file.attrs["provenance"])
    except (ValueError, RecursionError):
        provenance = None
    if not isinstance(provenance, dict):
        refuse("provenance", "holds no JSON object")
    for name in (*columns, "alone", "images", "masks", "shapes", "starts"):
        # Links and data that lie in other files could bring in what somebody else may read and the user not publish.
        dataset = file[name] if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            refuse(name, "is no table in this file")
    count = file["ids"].shape
    if len(count) != 1 or not 0 < count[0] <= MAX_CASES:
        refuse("ids", f"has the shape {count}")
    for name in (*columns, "alone"):
        if h5py.check_string_dtype(file[name].dtype) is None:
            refuse(name, "holds no texts")
        if file[name].ndim != 1 or (name != "alone" and file[name].shape != count):
            refuse(name, f"has the shape {file[name].shape}, and there are {count[0]} cases")
        if file[name].shape[0] > MAX_CASES:
            refuse(name, f"has the shape {file[name].shape}")
    for name, width in (("shapes", 3), ("starts", 2)):
        if file[name].dtype.kind not in "iu" or file[name].shape != (*count, width):
            refuse(name, f"has the type {file[name].dtype} and the shape {file[name].shape}")
    for name in ("images", "masks"):
        if file[name].dtype != np.uint8 or file[name].ndim != 1:
            refuse(name, f"has the type {file[name].dtype} and {file[name].ndim} dimensions")


def check_cases(
    path: Path | str, file: h5py.File, columns: Mapping[str, Sequence[str]], digest: str, file_digest: str
) -> None:
    """Refuse a file whose cases do not fit together.

    Args:
        path: What messages call the file.
        file: The file; :func:`check_layout` has passed it.
        columns: The texts of the cases.
        digest: The digest that these columns have.
        file_digest: The digest of all that the file holds but the pixels.

    Raises:
        UserError: An id is there twice, a case lies outside of the file or is too large, or a digest is another.
    """
    ids = columns["ids"]
    seen: set[str] = set()
    for id in ids:
        if not id or id in seen:
            raise UserError(
                f"{path} has the case '{id}' twice; {_AGAIN}" if id else f"{path} has an empty id; {_AGAIN}"
            )
        seen.add(id)
    if digest != file.attrs["digest"]:
        raise UserError(
            f"{path} was changed after it was made: its ids, groups or contents do not fit its digest; {_AGAIN}"
        )
    lengths = [len(file[name]) for name in ("images", "masks")]
    for id, shape, starts in zip(ids, file["shapes"][()].tolist(), file["starts"][()].tolist(), strict=True):
        _check_case(f"{path}, case '{id}'", shape, starts, lengths)
    if FILE_DIGEST in file.attrs and str(file.attrs[FILE_DIGEST]) != file_digest:
        raise UserError(
            f"{path} was changed after it was made: shapes, places, parts, name or provenance do not fit its digest; "
            f"{_AGAIN}"
        )


def _check_case(name: str, shape: Sequence[int], starts: Sequence[int], lengths: Sequence[Any]) -> None:
    height, width, channels = shape
    if height < 1 or width < 1 or channels not in (1, 3):
        raise UserError(f"{name} has the shape {height} x {width} x {channels}; {_AGAIN}")
    check_size(width, height, name)
    for start, size, length in zip(starts, (height * width * channels, height * width), lengths, strict=True):
        if start < 0 or start + size > length:
            raise UserError(f"{name} does not lie in the file (from {start}, {size} of {length} bytes); {_AGAIN}")
