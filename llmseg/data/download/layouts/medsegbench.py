"""MedSegBench: arrays of images and labels of the three parts in one ``npz`` file."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Sequence

import numpy as np

from llmseg.data.download.layouts.case_files import CaseFiles, DatasetFiles, Files, index_files, make_mask
from llmseg.data.download.tree import File
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
    try:
        array: np.ndarray = np.load(io.BytesIO(file.read()), allow_pickle=False)
    except UserError:
        raise
    except (ValueError, EOFError) as error:
        raise UserError(f"{file.path} is no array or is damaged ({error}); download it again") from error
    array = array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array
    if array.dtype != np.uint8 or not (array.ndim == 3 or (array.ndim == 4 and array.shape[-1] == 3)):
        raise UserError(f"{file.path} holds {array.dtype} of shape {array.shape}; expected are bytes [N, H, W]")
    return array
