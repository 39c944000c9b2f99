"""The check of all files of a download before any case is written, as training checks a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from llmseg.data.download.layouts.case_files import CaseFiles
from llmseg.data.image_check import ImageFacts, judge_images, measure_file, measure_image, warn_of_images
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
    notes = _check_pictures(pictures, reading, id == "folder", progress) if pictures else []
    if judge is not None:
        notes += judge(tqdm(case_files, desc="check", unit="file", leave=False, disable=not progress))
    make_folder(passed.parent)
    write_bytes(passed, json.dumps({"notes": notes}).encode())
    return notes


def _check_pictures(pictures: Sequence[CaseFiles], reading: Reading, judged: bool, progress: bool) -> list[str]:
    """Return what should be known of pictures, and refuse masks and images if they are judged."""

    def measure(item: CaseFiles) -> tuple[ImageFacts | None, list[ImageFacts], MaskFacts | None]:
        image, *masks = item.files
        try:
            of_image = measure_image(image.read_unpacked(), image.path, reading)
        except UserError:  # it will be named when it is read, after the cases before it are written
            of_image = None
        if not judged:
            return of_image, [], None
        contents = [(mask.read_unpacked(), mask.path) for mask in masks]
        first, *further = (decode_mask_values(*content, reading) for content in contents)
        of_mask = measure_mask(first, item.key, reading, further=further)
        return of_image, [measure_file(*content) for content in contents], of_mask

    bar = tqdm(pictures, desc="check", unit="case", leave=False, disable=not progress)
    found, files, measured = zip(*map_ahead(measure, bar), strict=True)
    images = [image for image in found if image is not None]
    masks = [mask for mask in measured if mask is not None]
    refusal = (judge_masks(masks, reading) or judge_images(images, reading)) if judged else None
    if refusal:
        raise UserError(refusal)
    mask_files = [file for of_case in files for file in of_case]
    return [*warn_of_masks(masks), *warn_of_images(images, mask_files, reading)]
