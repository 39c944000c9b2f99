"""Retinal vessels: the combined set, and DRIVE, STARE, CHASE_DB1 and HRF of which it is made.

Some have a folder ``mask``. It shows the field of view, the round part of the picture in which there is an eye. Vessels
are in a folder called ``manual`` or the like.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from llmseg.data.download.layouts.case_files import (
    DatasetFiles,
    Files,
    add_numbered_masks,
    in_folder,
    index_files,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.layouts.pictures import find_folders, in_mask_folder
from llmseg.data.download.tree import File
from llmseg.data.reading import DEFAULT, Reading

_UNLABELLED = ("unlabeled_test", "unlabelled_test")


def find_combined(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair files of one stem in ``images`` and ``masks`` of each part; ``Unlabeled_test`` is passed over."""
    labelled = {path: file for path, file in files.items() if not in_folder(file, _UNLABELLED)}
    return find_folders(labelled, reading=reading)


def drop_field_of_view(files: Files) -> Files:
    """Return the files without those in a folder ``mask``, which shows the field of view and not the vessels."""
    return {path: file for path, file in files.items() if not in_folder(file, ("mask",))}


def find_folders_of_vessels(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Find images and masks in folders called so, as :func:`find_folders`, without fields of view."""
    return find_folders(drop_field_of_view(files), reading=reading)


def find_drive(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``21_training.tif`` with ``21_manual1.gif``; the field of view in ``mask`` is passed over."""
    dataset_files = _pair_by_patterns(
        "DRIVE", drop_field_of_view(files), (r"(\d\d)_(?:training|test)",), (r"(\d\d)_manual1",), reading
    )
    case_files = tuple(
        replace(case, part="training" if "_training" in case.key else "test") for case in dataset_files.case_files
    )
    return replace(dataset_files, case_files=case_files)


def find_stare(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``im0001.ppm`` with the first observer's vessels, ``im0001.ah.ppm``; without them, the second's (``vk``)."""
    return _pair_by_patterns("STARE", files, (r"(im\d{4})",), (r"(im\d{4})\.ah", r"(im\d{4})\.vk"), reading)


def find_chase(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``Image_01L.jpg`` with the vessels by the first observer, ``Image_01L_1stHO.png``.

    Without them, the second observer's are taken. The two eyes of a child are a group.
    """
    observers = (r"(Image_\d\d[LR])_1stHO", r"(Image_\d\d[LR])_2ndHO")
    return _pair_by_patterns(
        "CHASE_DB1", files, (r"(Image_\d\d[LR])",), observers, reading, lambda image: f"child {image.stem[6:8]}"
    )


def find_hrf(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``images/01_h.jpg`` with ``manual1/01_h.tif``; the field of view in ``mask`` is passed over."""
    stem = r"(\d\d_(?:dr|g|h))"
    return _pair_by_patterns("HRF", drop_field_of_view(files), (stem,), (stem,), reading)


def _pair_by_patterns(
    name: str,
    files: Files,
    images: Sequence[str],
    masks: Sequence[str],
    reading: Reading,
    group: Callable[[File], str] | None = None,
) -> DatasetFiles:
    """Pair files by what patterns find in their stems: an image and a mask of one find are a pair.

    What lies in a folder of masks is no image. If images and masks have the same stems, only the folder tells masks.

    Args:
        name: Name of the layout.
        files: All files.
        images: Patterns of images, whose first group is the key.
        masks: Patterns of masks. If several fit one key, the mask of the first pattern is taken.
        reading: Whether masks with numbers are joined.
        group: Returns the group of an image.
    """
    every = select_pictures(files)
    told_by_folder = set(images) & set(masks)
    pairs, unpaired = match_keys(
        _match_first(images, [file for file in every if not _shows_vessels(file)]),
        _match_first(masks, [file for file in every if not told_by_folder or _shows_vessels(file)]),
    )
    cases = make_picture_cases(add_numbered_masks(pairs, every, reading), group=group, reading=reading)
    return DatasetFiles(name, cases, unpaired)


def _shows_vessels(file: File) -> bool:
    return in_mask_folder(file) or any("manual" in folder for folder in file.folders)


def _match_first(patterns: Sequence[str], files: Sequence[File]) -> dict[str, File]:
    by_key: dict[str, File] = {}
    # The last pattern first, so that earlier ones replace what later ones have found.
    for pattern in map(re.compile, reversed(patterns)):
        by_key |= index_files(files, functools.partial(_key, pattern))
    return by_key


def _key(pattern: re.Pattern[str], file: File) -> str | None:
    match = pattern.fullmatch(file.stem)
    return match[1] if match else None
