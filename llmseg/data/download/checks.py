"""The check of all files of a download before any case is written, as training checks a folder."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from llmseg.data.download.layouts.case_files import CaseFiles, list_pages_of
from llmseg.data.download.tree import File
from llmseg.data.image_check import ImageFacts, judge_images, judge_pages, measure_file, measure_image, warn_of_images
from llmseg.data.image_files import EXTENSIONS
from llmseg.data.mask_check import MaskFacts, judge_masks, measure_mask, warn_of_masks
from llmseg.data.pixels import decode_mask_values
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import Reading
from llmseg.errors import UserError
from llmseg.files import make_folder, read_json, write_bytes


def check_once(
    id: str,
    judge: Callable[[Iterable[CaseFiles]], list[str]] | None,
    case_files: Sequence[CaseFiles],
    reading: Reading,
    passed: Path,
    progress: bool,
) -> list[str]:
    """Read all pictures, refuse what training would refuse, and return what should be known, a sentence each.

    Of a dataset that is read as it is published, masks are left to its layout, which says what they mean.

    Args:
        id: Dataset or layout.
        judge: How the layout judges its masks, see :class:`llmseg.data.download.layouts.case_files.DatasetFiles`.
        case_files: All cases.
        reading: How pixels are read.
        passed: The file that notes what passed, so that a rerun does not read all files twice.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A file is no image or is damaged, or a mask can be read in two ways.
    """
    if passed.exists():
        return [str(note) for note in read_json(passed, ("notes",))["notes"]]
    pictures = [item for item in case_files if item.files[0].extension in EXTENSIONS]
    notes = _check_pictures(id, pictures, reading, progress) if pictures else []
    if judge is not None:
        notes += judge(tqdm(case_files, desc="check", unit="file", leave=False, disable=not progress))
    make_folder(passed.parent)
    write_bytes(passed, json.dumps({"notes": notes}).encode())
    return notes


def _check_pictures(id: str, pictures: Sequence[CaseFiles], reading: Reading, progress: bool) -> list[str]:
    """Return what should be known of pictures. They are judged where it is said how they are read."""

    def measure(item: CaseFiles) -> list[tuple[ImageFacts | None, list[ImageFacts], MaskFacts | None]]:
        image, *masks = item.files
        if id != "folder":
            return [(_measure_image(image, reading, None), [], None)]
        contents = [(mask.read_unpacked(), mask.path) for mask in masks]
        facts: list[tuple[ImageFacts | None, list[ImageFacts], MaskFacts | None]] = []
        for page in list_pages_of(item.key, image, masks, reading).values():
            first, *further = (decode_mask_values(*content, reading, page) for content in contents)
            of_mask = measure_mask(first, item.key, reading, further=further)
            files = [measure_file(*content) for content in contents]
            facts.append((_measure_image(image, reading, page), files, of_mask))
        return facts

    bar = tqdm(pictures, desc="check", unit="case", leave=False, disable=not progress)
    found, files, measured = zip(*itertools.chain.from_iterable(map_ahead(measure, bar)), strict=True)
    images = [image for image in found if image is not None]
    masks = [mask for mask in measured if mask is not None]
    mask_files = [file for of_case in files for file in of_case]
    refusal = None
    if id in ("folder", "nnunet"):
        refusal = judge_images(images, reading)
    if id == "folder":
        refusal = judge_pages([*images, *mask_files], reading) or judge_masks(masks, reading) or refusal
    if refusal:
        raise UserError(refusal)
    return [*warn_of_masks(masks), *warn_of_images(images, mask_files, reading)]


def _measure_image(file: File, reading: Reading, page: int | None) -> ImageFacts | None:
    try:
        return measure_image(file.read_unpacked(), file.path, reading, page)
    except UserError:  # it will be named when it is read, after the cases before it are written
        return None
