"""Cases laid out as scripts want them: under the names, and in the folders, of a layout."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

from PIL import Image

from llmseg.admission.part_words import PartName
from llmseg.admission.running.layout import CASE_SUFFIX, Layout
from llmseg.errors import UserError

Kind = Literal["images", "masks"]


def lay_out(cases: Path, layout: Layout, target: Path) -> dict[tuple[Kind, PartName], Path]:
    """Return folders in which the images and the masks of cases have the names that scripts want.

    Where they have those names already, the folder of the cases itself is returned. Otherwise files are copied in the
    order in which their folder lists them, for that of some file systems depends on the order of writing. A file with
    another ending is encoded anew.

    Args:
        cases: A folder with ``images/001.png`` and ``masks/001_seg.png``.
        layout: The names.
        target: An empty folder for copies.

    Returns:
        The folder of images and that of masks, of each part and, without a part, of all.

    Raises:
        UserError: One of the two folders is missing, or a mask is not named after an image.
    """
    listed = {kind: _list_cases(cases, kind) for kind in _KINDS}
    all_ids = {id for ids in listed.values() for id in ids.values()}
    folders: dict[tuple[Kind, PartName], Path] = {}
    for part in ("", *layout.parts):
        # Cases that are counted are counted in each part, and among all.
        called = (layout if part else replace(layout, parts=())).divide(all_ids)
        for kind, ids in listed.items():
            ending = layout.image_name if kind == "images" else layout.mask_name
            wanted = {name: ending(called[id][1]) for name, id in ids.items() if called[id][0] == part}
            folders[kind, part] = _copy(cases / kind, wanted, target / part / kind, is_whole=not part)
    return folders


_KINDS: tuple[Kind, ...] = ("images", "masks")


def _list_cases(cases: Path, kind: Kind) -> dict[str, str]:
    """Return the case of each file with an image or a mask, in the order in which the folder lists them."""
    if not (cases / kind).is_dir():
        raise UserError(f"{cases / kind} does not exist; a folder of cases holds images/ and masks/")
    with os.scandir(cases / kind) as entries:
        return {entry.name: _find_id(Path(entry.path), kind) for entry in entries}


def _find_id(path: Path, kind: Kind) -> str:
    if kind == "images":
        return path.stem
    if not path.stem.endswith(CASE_SUFFIX):
        raise UserError(f"{path}: masks are named after their images, such as masks/001{CASE_SUFFIX}.png")
    return path.stem.removesuffix(CASE_SUFFIX)


def _copy(folder: Path, wanted: dict[str, str], target: Path, is_whole: bool) -> Path:
    """Copy files under new names; return where they are, which is where they were if a whole folder has its names."""
    if is_whole and all(name == new for name, new in wanted.items()):
        return folder
    target.mkdir(parents=True)
    for name, new in wanted.items():
        _write(folder / name, target / new)
    return target


def _write(source: Path, target: Path) -> None:
    if source.suffix.lower() == target.suffix.lower():
        shutil.copyfile(source, target)
        return
    quality = {"quality": 100, "subsampling": 0} if target.suffix.lower() in (".jpg", ".jpeg") else {}
    try:
        with Image.open(source) as image:
            pixels = image.copy()
    except OSError:
        shutil.copyfile(source, target)  # a file that is damaged on purpose stays damaged
        return
    pixels.save(target, **quality)
