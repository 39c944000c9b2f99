"""HAM10000: dermoscopic images in two folders, masks in a third, and a table that tells which show the same lesion."""

from __future__ import annotations

import csv
import io
import re

from llmseg.data.download.layouts.case_files import (
    DatasetFiles,
    Files,
    add_numbered_masks,
    index_files,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.layouts.pictures import in_mask_folder
from llmseg.data.download.tree import File
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError

_IMAGE = re.compile(r"(ISIC_\d{7})")
_MASK = re.compile(r"(ISIC_\d{7})_segmentation", re.IGNORECASE)


def find(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``ISIC_N.jpg`` with ``ISIC_N_segmentation.png``; images of one lesion are a group.

    Some masks have a palette in reverse order: index 0 is white. Masks are read by their colours and not by the numbers
    in the file, so these come out like the others.
    """
    every = select_pictures(files)
    pairs, unpaired = match_keys(
        index_files(every, lambda file: None if in_mask_folder(file) else _match(_IMAGE, file)),
        index_files(every, lambda file: _match(_MASK, file)),
    )
    lesions = _read_lesions(files)
    notes = () if lesions else ("HAM10000_metadata is missing: images of one lesion cannot be kept together",)
    case_files = make_picture_cases(
        add_numbered_masks(pairs, every, reading),
        group=lambda image: lesions.get(image.stem, image.name),
        reading=reading,
    )
    return DatasetFiles("HAM10000", case_files, unpaired, notes)


def _match(pattern: re.Pattern[str], file: File) -> str | None:
    match = pattern.fullmatch(file.stem)
    return match[1] if match else None


def _read_lesions(files: Files) -> dict[str, str]:
    """Return the lesion of each image by the table, whose columns commas or tabs separate; empty without a table."""
    for file in files.values():
        if file.stem.lower() == "ham10000_metadata":
            try:
                text = file.read_unpacked().decode("utf-8-sig")  # some spreadsheets put a mark before the text
            except UnicodeDecodeError as error:
                raise UserError(f"{file.path} is no table of text or is damaged; download it again") from error
            separator = "\t" if "\t" in text.partition("\n")[0] else ","
            rows = csv.DictReader(io.StringIO(text), delimiter=separator)
            return {row["image_id"]: row["lesion_id"] for row in rows if row.get("image_id") and row.get("lesion_id")}
    return {}
