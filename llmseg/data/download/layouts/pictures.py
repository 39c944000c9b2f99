"""Folders of images and masks as people pass them on: two folders, or one whose masks have a suffix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from llmseg.data.download.layouts.case_files import (
    DatasetFiles,
    Files,
    find_part,
    in_folder,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.tree import File
from llmseg.data.image_mask_pairs import SUFFIXES
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "frames", "inputs", "input", "converted_images", "combined_images")
_MANUAL_FOLDERS = ("manual", "manual1", "1st_manual")
MASK_FOLDERS = (
    "masks",
    "mask",
    "labels",
    "label",
    "labels-ah",
    "gt",
    "groundtruth",
    "ground_truth",
    "segmentations",
    "segmentation",
    "annotations",
    *_MANUAL_FOLDERS,
    "combined_masks",
    "masks_myoma",
)
"""Folder names in lower case. Of the folders above a file, the innermost that is listed decides what the file is."""


def find_folders(
    files: Files,
    decode: Callable[[File], np.ndarray] | None = None,
    resize_masks: bool = False,
    reading: Reading = DEFAULT,
) -> DatasetFiles:
    """Find images and masks in folders called so, or in one folder whose masks have a suffix.

    The suffix is the one of :data:`llmseg.data.image_mask_pairs.SUFFIXES` that pairs most images.

    Args:
        files: All files.
        decode: Reads a mask file, see :func:`make_picture_cases`.
        resize_masks: Bring masks of another size to that of their image, see :func:`make_picture_cases`.
        reading: How pixels are read.

    Raises:
        UserError: Two files are the same case.
    """
    every = select_pictures(files)
    images = [file for file in every if _folder_kind(file) == "image"]
    masks = [file for file in every if _folder_kind(file) == "mask"]
    if any(
        in_folder(file, _MANUAL_FOLDERS) for file in masks
    ):  # then a folder called mask is the field of view of an eye
        masks = [file for file in masks if file.folders[-1] != "mask"]
    if images and masks:
        tried = [_pair(images, masks, suffix) for suffix in SUFFIXES]
        layout = "folders of images and masks"
    else:
        tried = [_pair(*_separate_masks(every, suffix), suffix) for suffix in SUFFIXES if suffix]
        layout = "one folder, masks with a suffix"
    pairs, unpaired = max(tried, key=lambda pairs_and_alone: len(pairs_and_alone[0]))
    cases = make_picture_cases(pairs, id=_choose_ids(pairs), decode=decode, resize_masks=resize_masks, reading=reading)
    return DatasetFiles(layout, cases, unpaired)


def _folder_kind(file: File) -> str:
    for name in reversed(file.folders):
        if name in MASK_FOLDERS:
            return "mask"
        if name in IMAGE_FOLDERS:
            return "image"
    return ""


def _separate_masks(files: Sequence[File], suffix: str) -> tuple[list[File], list[File]]:
    masks = [file for file in files if file.stem.endswith(suffix)]
    return [file for file in files if not file.stem.endswith(suffix)], masks


def _pair(
    images: Sequence[File], masks: Sequence[File], suffix: str
) -> tuple[dict[str, tuple[File, File]], tuple[str, ...]]:
    by_stem: dict[str, list[File]] = defaultdict(list)
    for file in masks:
        if file.stem.endswith(suffix):
            by_stem[_pair_key(file, file.stem.removesuffix(suffix))].append(file)
    by_key: dict[str, File] = {}
    for file in images:
        other = by_key.setdefault(_pair_key(file, file.stem), file)
        if other != file:
            raise UserError(f"{other.path} and {file.path} would share a mask; move one of them away")
    for key, image in by_key.items():
        if len(by_stem.get(key, ())) > 1:
            first, second, *_ = by_stem[key]
            raise UserError(f"{image.path} has two masks, {first.path} and {second.path}; move one of them away")
    return match_keys(by_key, {key: files[0] for key, files in by_stem.items()})


def _pair_key(file: File, stem: str) -> str:
    return f"{find_part(file)}/{stem}"


def _choose_ids(pairs: dict[str, tuple[File, File]]) -> Callable[[File], str]:
    """Return the rule for ids: the file name; with the part before it if two parts have files of one name."""
    names = [image.name for image, _ in pairs.values()]
    if len(set(names)) == len(names):
        return lambda image: image.name
    return lambda image: f"{find_part(image)}/{image.name}"


def in_mask_folder(file: File) -> bool:
    """Return whether a file lies in a folder of masks."""
    return in_folder(file, MASK_FOLDERS)
