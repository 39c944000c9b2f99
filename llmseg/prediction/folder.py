"""The folder that ``predict`` writes: it holds predictions of one set of images, and replaces nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from llmseg.errors import UserError
from llmseg.files import check_files, clear_leftovers, make_folder, read_json_if_any, write_text

MARK = "predictions.json"
"""The first file in the folder. It names the images, so that no other mask is ever taken for one of ours."""

KINDS = ("masks", "probabilities")
"""The folders with a file per image."""

_COMPARED = 3
"""Pairs of files without :data:`MARK` that are looked at; masks that were drawn by hand differ at once."""


def check_free(out: Path, images: Path, names: Collection[str]) -> None:
    """See that predictions may be written: the folder is new, is empty, or has predictions of these images.

    Args:
        out: The folder.
        images: The folder of images; neither may lie in the other.
        names: Names of the images, without extension.

    Raises:
        UserError: The folder holds something else, such as masks from elsewhere or predictions of other images.
    """
    places = out.resolve(), images.resolve()
    if places[0] in (places[1], *places[1].parents) or places[1] in places[0].parents:
        where = "is the folder of" if places[0] == places[1] else "and the folder of images lie within each other:"
        raise UserError(f"{out} {where} {images}; choose an --out beside it")
    ours = _read_names(out)
    check_files(out, "predictions of llmseg", {MARK, *_list_files(ours)} if ours else ())
    gone = sorted(set(ours).difference(names))
    if gone:
        raise UserError(f"{out} holds predictions of other images, such as {gone[0]}; choose another --out")


def begin(out: Path, names: Collection[str]) -> None:
    """Make the folders, write :data:`MARK`, and remove what a killed process left there."""
    make_folder(out)
    write_text(out / MARK, json.dumps({"llmseg_predictions": 1, "images": sorted(names)}, indent=1) + "\n")
    for kind in KINDS:
        make_folder(out / kind)
    for folder in (out, *(out / kind for kind in KINDS)):
        clear_leftovers(folder, *(f"{name}.png" for name in names))


def _list_files(names: Iterable[str]) -> list[str]:
    return [f"{kind}/{name}.png" for name in names for kind in KINDS]


def _read_names(out: Path) -> list[str]:
    """Return the images whose predictions a folder holds, none if it is not certain that llmseg wrote them."""
    record = read_json_if_any(out / MARK)
    images = record.get("images")
    if record.get("llmseg_predictions") == 1 and isinstance(images, list):
        return [str(name) for name in images]
    return [] if record else _read_names_of_earlier(out)


def _read_names_of_earlier(out: Path) -> list[str]:
    """Return the images of a folder that an earlier version wrote, without :data:`MARK`.

    Every mask then has its probabilities, and is what they are above one half.
    """
    masks, maps = ({path.stem: path for path in (out / kind).glob("*.png")} for kind in KINDS)
    if not masks or set(masks) - set(maps):
        return []
    for name in sorted(masks)[:_COMPARED]:
        try:
            with Image.open(masks[name]) as mask, Image.open(maps[name]) as probabilities:
                mask_values, values = np.asarray(mask), np.asarray(probabilities)
        except OSError:
            return []
        if mask_values.shape != values.shape or values.ndim != 2:
            return []
        # One half itself is rounded to 128 and is no foreground.
        if not ((mask_values == 255) == (values > 127))[values != 128].all():
            return []
    return sorted(maps)
