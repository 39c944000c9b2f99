"""Predicted masks that depend on the masks of the cases that they are predicted for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.full_run.predicted import find_case, is_called_prediction, is_copy
from llmseg.admission.probes.bench import Trial
from llmseg.admission.sandbox.results import has_one_channel
from llmseg.data.image_files import EXTENSIONS
from llmseg.data.pixels import read_mask_values
from llmseg.errors import UserError

# Files that are drawn from a mask that was given are no predictions, wherever they lie.
_DRAWN_FROM_MASKS = re.compile(
    r"true|truth|(^|[^a-z])gt([^a-z]|$)|label|target|err|diff|overlay|compar|panel", re.IGNORECASE
)

_SHAPE = 1.02
"""Up to this ratio an image has the shape of its case; several side by side have another."""

_INVERTED = 0.98
"""Share of pixels from which on two masks are the inverse of each other, as copies of given masks are."""

_COPY = 0.8
"""IoU with the given mask from which on a file may be a copy of it that was resized."""


def list_changed_predictions(one: Trial, other: Trial, ids: Collection[str]) -> list[str]:
    """Return the files of predicted masks that two runs wrote in another way, by their names.

    A file counts if its name has that of a case and calls it a prediction, unless it was drawn from the masks that
    were given, such as a copy of them or a picture of what is wrong.

    Args:
        one: A run on the cases as they are.
        other: Another one, with inverted or empty masks of these cases.
        ids: The cases.
    """
    changed = []
    for path, id in list_predictions(one, ids):
        again = other.folder / "files" / path
        if again.is_symlink() or not again.is_file():
            continue
        before, after = _read(one.folder / "files" / path), _read(again)
        if before is None or after is None or before.shape != after.shape or not _has_shape_of_case(before, one):
            continue
        given = one.phantoms.mask(id) > 0
        if not np.array_equal(before, after) and not _are_drawn_from(given, before, after):
            changed.append(str(path))
    return changed


def list_predictions(trial: Trial, ids: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files that a run wrote for cases and called predictions, as paths in its folder, with their cases."""
    folder = trial.folder / "files"
    for path in sorted(folder.rglob("*")):
        id = find_case(path, ids)
        is_prediction = is_called_prediction(path) and not _DRAWN_FROM_MASKS.search(path.stem)
        # Headers are read of such files alone.
        if id and is_prediction and _is_image(path):
            yield path.relative_to(folder), id


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and not path.is_symlink() and has_one_channel(path)


def _read(path: Path) -> NDArray[np.float64] | None:
    """Return the numbers of an image of one channel, ``None`` for others."""
    try:
        values = np.asarray(read_mask_values(path).numbers, dtype=np.float64)
    except UserError:
        return None
    return values if values.ndim == 2 and values.size else None


def _has_shape_of_case(values: NDArray[np.float64], trial: Trial) -> bool:
    """Return whether an image has the shape of its case or a square one, to which cases are resized."""
    height, width = values.shape
    shapes = (trial.phantoms.width / trial.phantoms.height, 1.0)
    return any(max(width / height / shape, shape * height / width) <= _SHAPE for shape in shapes)


def _are_drawn_from(given: NDArray[np.bool_], before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Return whether an image shows the given mask: it is the inverse of the other, or a copy that becomes empty."""
    if before.min() == before.max():
        return False
    middle = (max(before.max(), after.max()) + min(before.min(), after.min())) / 2
    if float(np.mean((before > middle) != (after > middle))) >= _INVERTED:
        return True
    return after.min() == after.max() and is_copy(before > middle, given, at_least=_COPY)
