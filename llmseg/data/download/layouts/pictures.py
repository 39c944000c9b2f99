"""Folders of images and masks as people pass them on: two folders, or one whose masks have a suffix."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from llmseg.data.download.layouts.case_files import (
    DatasetFiles,
    Files,
    in_folder,
    make_picture_cases,
    select_pictures,
)
from llmseg.data.download.tree import File
from llmseg.data.image_check import name_other_files
from llmseg.data.mask_names import (
    MANUAL_FOLDERS,
    MASK_FOLDERS,
    SUFFIXES,
    drop_role_folders,
    find_part,
    pair_names,
    separate_roles,
)
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import name_first


def find_folders(
    files: Files,
    decode: Callable[[File], np.ndarray] | None = None,
    resize_masks: bool = False,
    reading: Reading = DEFAULT,
) -> DatasetFiles:
    """Find images and masks in folders called so, or in one folder whose masks have a suffix, or in a folder per case.

    Args:
        files: All files.
        decode: Reads a mask file, see :func:`make_picture_cases`.
        resize_masks: Bring masks of another size to that of their image, see :func:`make_picture_cases`.
        reading: How pixels are read, and whether an image may have several masks.

    Raises:
        UserError: Two images are called alike, or an image has several masks that are not said to be joined.
    """
    every = {file.path: file for file in select_pictures(files)}
    images, masks, others = separate_roles(every)
    if any(in_folder(every[path], MANUAL_FOLDERS) for path in masks):
        # then a folder called mask is the field of view of an eye
        masks = [path for path in masks if every[path].folders[-1] != "mask"]
    join = reading.several_masks is not None
    if images and masks:
        layout = "folders of images and masks"
        pairing = pair_names(images, masks, SUFFIXES, join=join)
    else:
        layout, others = "one folder, masks with a suffix", []
        pairing = pair_names(list(every), None, [suffix for suffix in SUFFIXES if suffix], join=join)
    ids = _choose_ids(list(pairing.masks))
    cases = make_picture_cases(
        {image: (every[image], *(every[mask] for mask in of_image)) for image, of_image in pairing.masks.items()},
        id=lambda image: ids[image.path],
        decode=decode,
        resize_masks=resize_masks,
        reading=reading,
    )
    unpaired = tuple(sorted({*pairing.unpaired_images, *pairing.unpaired_masks}))
    return DatasetFiles(layout, cases, unpaired, tuple(_note_left_out(files, others)))


def _note_left_out(files: Files, others: Sequence[str]) -> list[str]:
    """Return a sentence for each kind of file that is not read."""
    notes = name_other_files(list(files))
    if others:
        notes.append(f"{len(others)} images in no folder of images or masks are left out: {name_first(others)}")
    return notes


def _choose_ids(images: Sequence[str]) -> Mapping[str, str]:
    """Return ids by path: file names; with the part before it if two parts have files of one name, or else the path."""
    names = {image: PurePosixPath(image).name for image in images}
    by_part = {image: f"{find_part(image)}/{name}" for image, name in names.items()}
    for ids in (names, by_part):
        if len(set(ids.values())) == len(ids):
            return ids
    paths = {image: drop_role_folders(image) for image in images}
    above = os.path.commonpath([path.rpartition("/")[0] for path in paths.values()])
    return {image: PurePosixPath(path).relative_to(above).as_posix() for image, path in paths.items()}


def in_mask_folder(file: File) -> bool:
    """Return whether a file lies in a folder of masks."""
    return in_folder(file, MASK_FOLDERS)
