"""MedSegBench: arrays of images and labels of the three parts in one ``npz`` file."""

from __future__ import annotations

import functools
import io
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmseg.data.download.layouts.case_files import CaseFiles, DatasetFiles, Files, index_files, make_mask
from llmseg.data.download.tree import File
from llmseg.data.opening import check_size
from llmseg.data.store import Case
from llmseg.errors import UserError

_PARTS = {"train": "training", "val": "validation", "test": "test"}
_CASES_TOGETHER = 64  # cases that are read together, as one item of the queue
# A cache alone lets threads that come at the same moment each load the array; with the lock, the first one does.
_LOADING = threading.Lock()


def find(files: Files) -> DatasetFiles:
    """Take the arrays ``train_images``, ``train_label`` and so on apart. Every label but 0 is foreground.

    An array is compressed as a whole, so all of it is in memory while its cases are read.

    Raises:
        UserError: The arrays are not what they should be.
    """
    case_files: list[CaseFiles] = []
    unpaired: list[str] = []
    arrays = index_files(files.values(), lambda file: file.stem if file.extension == ".npy" else None)
    for short, part in _PARTS.items():
        images, labels = arrays.get(f"{short}_images"), arrays.get(f"{short}_label")
        if images and labels:
            case_files += _make_case_files(short, part, images, labels)
        else:
            unpaired += [file.path for file in (images, labels) if file]
    return DatasetFiles("MedSegBench", tuple(case_files), tuple(unpaired))


def _make_case_files(short: str, part: str, images: File, labels: File) -> list[CaseFiles]:
    count = len(_load_array(images))
    if _load_array(labels).shape != _load_array(images).shape[:3]:
        raise UserError(
            f"{labels.path} has the shape {_load_array(labels).shape}, {images.path} {_load_array(images).shape}; "
            "download them again"
        )
    return [
        CaseFiles(
            f"{short}_{start:05d}",
            (images, labels),
            functools.partial(_read_cases, short, images, labels, start),
            group="",
            part=part,
        )
        for start in range(0, count, _CASES_TOGETHER)
    ]


def _read_cases(short: str, images: File, labels: File, start: int) -> Sequence[Case]:
    stop = start + _CASES_TOGETHER
    return tuple(
        Case(f"{short}_{start + offset:05d}.png", image, make_mask(label != 0))
        for offset, (image, label) in enumerate(
            zip(_load_array(images)[start:stop], _load_array(labels)[start:stop], strict=True)
        )
    )


def _load_array(file: File) -> np.ndarray:
    with _LOADING:
        return _decode_array(file)


@functools.lru_cache(maxsize=2)  # the images and the labels of one part
def _decode_array(file: File) -> np.ndarray:
    """Return ``[N, H, W]`` or ``[N, H, W, 3]`` in uint8."""
    content = file.read()
    shape, in_columns, dtype, start = _read_header(content, file.path)
    whole = shape[:-1] if len(shape) == 4 and shape[-1] == 1 else shape
    if dtype != np.uint8 or not (len(whole) == 3 or (len(whole) == 4 and whole[-1] == 3)):
        raise UserError(f"{file.path} holds {dtype} of shape {_shorten(shape)}; expected are bytes [N, H, W]")
    if min(shape) < 1 or math.prod(shape) != len(content) - start:
        raise UserError(
            f"{file.path} is no array or is damaged: it claims the shape {_shorten(shape)} and has "
            f"{len(content) - start} bytes; download it again"
        )
    check_size(whole[2], whole[1], file.path)
    return np.frombuffer(content, np.uint8, offset=start).reshape(whole, order="F" if in_columns else "C")


def _read_header(content: bytes, path: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, whether the first axis runs fastest, type and place of an array. Nothing is allocated for it."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, dtype = read(stream)
    except (
        Exception
    ) as error:  # numpy parses the header as Python, and damage runs into anything that can go wrong then
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{path} is no array or is damaged ({why}); download it again") from error
    return shape, in_columns, dtype, stream.tell()


def _shorten(shape: tuple[int, ...]) -> str:
    text = str(shape)
    return text if len(text) <= 80 else f"{text[:80]}...)"
