"""Raw datasets of nnU-Net: ``imagesTr``, ``labelsTr`` and, where they are kept, ``imagesTs``, ``labelsTs``."""

from __future__ import annotations

import functools

import numpy as np

from llmseg.data.download.layouts.case_files import (
    IMAGE_EXTENSIONS,
    CaseFiles,
    DatasetFiles,
    Files,
    index_files,
    make_mask,
    make_picture_cases,
    match_keys,
)
from llmseg.data.download.layouts.volumes import Orientation, cut_slices
from llmseg.data.download.tree import File
from llmseg.data.pixels import decode_labels

_CHANNEL = "_0000"
_PARTS = {"imagestr": "training", "labelstr": "training", "imagests": "test", "labelsts": "test"}


def find(files: Files, orientation: Orientation = "study") -> DatasetFiles:
    """Pair ``imagesTr/X_0000.png`` with ``labelsTr/X.png``; every label but 0 is foreground.

    nnU-Net keeps each channel of an image as a file, ``_0000``, ``_0001`` and so on. The first is read. The slices of a
    volume are a group.

    Args:
        files: All files.
        orientation: How slices of volumes lie in their picture.
    """
    in_parts = [file for file in files.values() if file.folders and file.folders[-1] in _PARTS]
    readable = [file for file in in_parts if file.extension in (*IMAGE_EXTENSIONS, ".nii")]
    first_channels = [file for file in readable if _is_kind(file, "images") and file.stem.endswith(_CHANNEL)]
    images = index_files(first_channels, lambda file: f"{_part(file)}/{file.stem.removesuffix(_CHANNEL)}")
    labels = index_files(readable, lambda file: f"{_part(file)}/{file.stem}" if _is_kind(file, "labels") else None)
    pairs, unpaired = match_keys(images, labels)
    flat = {key: pair for key, pair in pairs.items() if pair[0].extension != ".nii"}
    deep = {key: pair for key, pair in pairs.items() if pair[0].extension == ".nii"}
    case_files = [
        *make_picture_cases(flat, decode=_read_labels),
        *(_make_volume(*pair, orientation) for pair in deep.values()),
    ]
    placed = (CaseFiles(case.key, case.files, case.read, case.group, _part(case.files[0])) for case in case_files)
    return DatasetFiles("nnU-Net raw dataset", tuple(sorted(placed, key=lambda case: case.key)), unpaired)


def _is_kind(file: File, kind: str) -> bool:
    return file.folders[-1].startswith(kind)


def _part(file: File) -> str:
    return _PARTS[file.folders[-1]]


def _read_labels(file: File) -> np.ndarray:
    return make_mask(decode_labels(file.read_unpacked(), file.path) != 0)


def _make_volume(image: File, labels: File, orientation: Orientation) -> CaseFiles:
    stem = image.stem.removesuffix(_CHANNEL)
    read = functools.partial(cut_slices, image, labels, stem=stem, foreground=None, orientation=orientation)
    return CaseFiles(stem, (image, labels), read, stem)
