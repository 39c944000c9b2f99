"""The folder that ``predict`` writes: it holds predictions of one set of images, and replaces nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from llmseg.data.opening import read_image_file
from llmseg.data.pixels import decode_labels
from llmseg.data.read_ahead import map_ahead
from llmseg.errors import UserError
from llmseg.files import check_files, clear_leftovers, make_folder, read_json_if_any, write_text

MARK = "predictions.json"
"""The first file in the folder. It names the images, so that no other mask is ever taken for one of ours."""

KINDS = ("masks", "probabilities")
"""The folders with a file per image."""

_BEGUN = ".llmseg-predict"


def check_free(out: Path, images: Path, names: Collection[str]) -> None:
    """See that predictions may be written: the folder is new, is empty, or has predictions of these images.

    Args:
        out: The folder.
        images: The folder of images; neither may lie in the other.
        names: Names of the images, without extension.

    Raises:
        UserError: The folder holds something else, such as masks from elsewhere or predictions of other images.
    """
    if out.resolve() in (images.resolve(), *images.resolve().parents):
        raise UserError(f"{out} has the images that are read; choose an --out beside {images}")
    if images.resolve() in out.resolve().parents:
        raise UserError(f"{out} lies in {images}, which is read; choose an --out beside that")
    ours = _read_names(out)
    check_files(out, "predictions of llmseg", {MARK, *_list_files(ours)} if ours else ())
    gone = sorted(set(ours).difference(names))
    if gone:
        raise UserError(f"{out} holds predictions of other images, such as {gone[0]}; choose another --out")
    # A killed process may have replaced the probabilities of an image and not its mask.
    if not (out / _BEGUN).exists():
        for name, unchanged in zip(ours, map_ahead(lambda name: _follows(out, name), ours), strict=True):
            if not unchanged:
                raise UserError(f"{out} holds masks/{name}.png, which was changed by hand; choose another --out")


def begin(out: Path, names: Collection[str]) -> None:
    """Make the folders, write :data:`MARK`, and remove what a killed process left there."""
    make_folder(out)
    write_text(out / _BEGUN, "llmseg predict is writing this folder, or was killed while it did\n")
    write_text(out / MARK, json.dumps({"llmseg_predictions": 1, "images": sorted(names)}, indent=1) + "\n")
    for kind in KINDS:
        make_folder(out / kind)
    for folder in (out, *(out / kind for kind in KINDS)):
        clear_leftovers(folder, *(f"{name}.png" for name in names))


def finish(out: Path) -> None:
    """Say that all predictions are written."""
    (out / _BEGUN).unlink(missing_ok=True)


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
    masks, maps = ({path.stem for path in (out / kind).glob("*.png")} for kind in KINDS)
    ours = bool(masks) and masks <= maps and all(map_ahead(lambda name: _follows(out, name), sorted(masks)))
    return sorted(maps) if ours else []


def _follows(out: Path, name: str) -> bool:
    """Return whether the mask of an image is what its probabilities are above one half, or one of them is missing."""
    paths = [out / kind / f"{name}.png" for kind in KINDS]
    if not all(path.is_file() for path in paths):
        return True
    try:
        pixels, values = (decode_labels(read_image_file(path), str(path)) for path in paths)
    except UserError:
        return False
    if pixels.shape != values.shape or not np.isin(pixels, (0, 255)).all():
        return False
    # One half itself is rounded to 128 and is no foreground.
    return bool(((pixels == 255) == (values > 127))[values != 128].all())
