"""Retinal vessels: the combined set, and DRIVE, STARE, CHASE_DB1 and HRF of which it is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from llmseg.data.download.layouts.case_files import (
    CaseFiles,
    DatasetFiles,
    Files,
    in_folder,
    index_files,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.layouts.pictures import find_folders, in_mask_folder
from llmseg.data.download.tree import File

_UNLABELLED = ("unlabeled_test", "unlabelled_test")


def find_combined(files: Files) -> DatasetFiles:
    """Pair files of one stem in ``images`` and ``masks`` of each part; ``Unlabeled_test`` is passed over."""
    return find_folders({path: file for path, file in files.items() if not in_folder(file, _UNLABELLED)})


def drop_field_of_view(files: Files) -> Files:
    """Return the files but for those in a folder ``mask``, which shows the field of view, not the vessels."""
    return {path: file for path, file in files.items() if not in_folder(file, ("mask",))}


def find_drive(files: Files) -> DatasetFiles:
    """Pair ``21_training.tif`` with ``21_manual1.gif``; the field of view in ``mask`` is passed over."""
    dataset_files = _pair_by_patterns(
        "DRIVE", drop_field_of_view(files), (r"(\d\d)_(?:training|test)",), (r"(\d\d)_manual1",)
    )
    case_files = tuple(
        replace(unit, part="training" if "_training" in unit.key else "test") for unit in dataset_files.case_files
    )
    return replace(dataset_files, case_files=case_files)


def find_stare(files: Files) -> DatasetFiles:
    """Pair ``im0001.ppm`` with ``im0001.ah.ppm``, the first observer's, or if there is none, the second's (``vk``)."""
    return _pair_by_patterns("STARE", files, (r"(im\d{4})",), (r"(im\d{4})\.ah", r"(im\d{4})\.vk"))


def find_chase(files: Files) -> DatasetFiles:
    """Pair ``Image_01L.jpg`` with ``Image_01L_1stHO.png``, or if there is none, the second observer's.

    The two eyes of a child are a group.
    """
    observers = (r"(Image_\d\d[LR])_1stHO", r"(Image_\d\d[LR])_2ndHO")
    return _pair_by_patterns(
        "CHASE_DB1", files, (r"(Image_\d\d[LR])",), observers, lambda image: f"child {image.stem[6:8]}"
    )


def find_hrf(files: Files) -> DatasetFiles:
    """Pair ``images/01_h.jpg`` with ``manual1/01_h.tif``; the field of view in ``mask`` is passed over."""
    stem = r"(\d\d_(?:dr|g|h))"
    return _pair_by_patterns("HRF", drop_field_of_view(files), (stem,), (stem,))


def _pair_by_patterns(
    name: str,
    files: Files,
    images: Sequence[str],
    masks: Sequence[str],
    group: Callable[[File], str] | None = None,
) -> DatasetFiles:
    """Pair files by what patterns find in their stems; of several patterns for masks, the first that fits is taken.

    What lies in a folder of masks is no image; where images and masks have the same stems, masks lie in such a folder.
    """
    every = select_pictures(files)
    told_by_folder = set(images) & set(masks)
    pairs, alone = match_keys(
        _match_first(images, [file for file in every if not _shows_vessels(file)]),
        _match_first(masks, [file for file in every if not told_by_folder or _shows_vessels(file)]),
    )
    case_files: tuple[CaseFiles, ...] = make_picture_cases(pairs, group=group)
    return DatasetFiles(name, case_files, alone)


def _shows_vessels(file: File) -> bool:
    return in_mask_folder(file) or any("manual" in folder for folder in file.folders)


def _match_first(patterns: Sequence[str], files: Sequence[File]) -> dict[str, File]:
    found: dict[str, File] = {}
    for pattern in map(re.compile, reversed(patterns)):
        found |= index_files(files, lambda file, pattern=pattern: _key(pattern, file))  # type: ignore[misc]
    return found


def _key(pattern: re.Pattern[str], file: File) -> str | None:
    match = pattern.fullmatch(file.stem)
    return match[1] if match else None
