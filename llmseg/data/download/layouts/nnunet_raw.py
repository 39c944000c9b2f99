"""Raw datasets of nnU-Net: ``imagesTr``, ``labelsTr`` and, where they are kept, ``imagesTs``, ``labelsTs``."""

from __future__ import annotations

import functools

import numpy as np

from llmseg.data.download.layouts.case_files import (
    IMAGE_EXTENSIONS,
    Files,
    Listing,
    Unit,
    by_key,
    matched,
    picture_units,
    white,
)
from llmseg.data.download.layouts.volumes import Orientation, slices
from llmseg.data.download.tree import File
from llmseg.data.pixels import decode_labels

_CHANNEL = "_0000"
_PARTS = {"imagestr": "training", "labelstr": "training", "imagests": "test", "labelsts": "test"}


def find(files: Files, orientation: Orientation = "study") -> Listing:
    """Pair ``imagesTr/X_0000.png`` with ``labelsTr/X.png``; every label but 0 is foreground.

    Of images in several channels, the first is read. Slices of a volume are a group.

    Args:
        files: All files.
        orientation: How slices of volumes lie in their picture.
    """
    known = [file for file in files.values() if file.folders and file.folders[-1] in _PARTS]
    readable = [file for file in known if file.extension in (*IMAGE_EXTENSIONS, ".nii")]
    pictured = [file for file in readable if _in(file, "images") and file.stem.endswith(_CHANNEL)]
    images = by_key(pictured, lambda file: f"{_part(file)}/{file.stem.removesuffix(_CHANNEL)}")
    labels = by_key(readable, lambda file: f"{_part(file)}/{file.stem}" if _in(file, "labels") else None)
    pairs, alone = matched(images, labels)
    flat = {key: pair for key, pair in pairs.items() if pair[0].extension != ".nii"}
    deep = {key: pair for key, pair in pairs.items() if pair[0].extension == ".nii"}
    units = [*picture_units(flat, decode=_foreground), *(_volume(*pair, orientation) for pair in deep.values())]
    placed = (Unit(unit.key, unit.files, unit.read, unit.group, _part(unit.files[0])) for unit in units)
    return Listing("nnU-Net raw dataset", tuple(sorted(placed, key=lambda unit: unit.key)), alone)


def _in(file: File, kind: str) -> bool:
    return file.folders[-1].startswith(kind)


def _part(file: File) -> str:
    return _PARTS[file.folders[-1]]


def _foreground(file: File) -> np.ndarray:
    return white(decode_labels(file.unpacked(), file.path) != 0)


def _volume(image: File, labels: File, orientation: Orientation) -> Unit:
    stem = image.stem.removesuffix(_CHANNEL)
    read = functools.partial(slices, image, labels, stem=stem, foreground=None, orientation=orientation)
    return Unit(stem, (image, labels), read, stem)
