"""The masks that came of a run: files that the scripts wrote, or what their network gave after the last step."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from llmseg.admission.full_run.sight import Sight, right
from llmseg.admission.observing.record import Record
from llmseg.data.image_files import EXTENSIONS
from llmseg.data.pixels import read_mask_values
from llmseg.errors import UserError

Mask = NDArray[np.bool_]

_PREDICTED = re.compile(r"pred|output|result|seg_out|inference", re.IGNORECASE)
_FOREGROUND = 0.5
"""Probability above which a pixel is foreground."""

_COPY = 0.95
"""IoU with the mask that the scripts were given, from which on a file is a copy of it."""


def read_written(paths: Iterable[Path], given: Mapping[str, NDArray[np.uint8]]) -> dict[str, Mask]:
    """Return the masks that scripts wrote as files, by the names of cases.

    A file counts whose name has that of a case, and which is no copy of the mask that the scripts were given for it.
    Of several, that counts which is called a prediction, and of these the last one written.

    Args:
        paths: The images of one channel that were written.
        given: The masks that the scripts were given.
    """
    found: dict[str, tuple[tuple[bool, float, str], Mask]] = {}
    for path in paths:
        name = find_case(path, given)
        mask = None if name is None else _read_mask(path)
        if name is None or mask is None:
            continue
        fitted = _resize(mask, given[name].shape)
        order = (is_called_prediction(path), path.stat().st_mtime, str(path))
        if not is_copy(fitted, given[name] > 127) and (name not in found or found[name][0] < order):
            found[name] = order, fitted
    return {name: mask for name, (_, mask) in found.items()}


def find_case(path: Path, names: Collection[str]) -> str | None:
    """Return the case whose name the name of a file has, ``None`` if it has none."""
    return next((digits for digits in re.findall(r"\d+", path.stem) if digits in names), None)


def is_called_prediction(path: Path) -> bool:
    """Return whether the name of a file, or that of its folder, says that it was predicted."""
    return _PREDICTED.search(f"{path.parent.name}/{path.stem}") is not None


def _read_mask(path: Path) -> Mask | None:
    """Return the foreground of a file: above the middle of what it can hold; ``None`` for what is no image."""
    if path.suffix.lower() not in EXTENSIONS:
        return None
    try:
        values = np.asarray(read_mask_values(path).numbers)
    except UserError:
        return None
    if values.ndim != 2 or not values.size:
        return None
    return np.asarray(values > (0 if values.max() <= 1 else 127))


def _resize(mask: Mask, shape: tuple[int, ...]) -> Mask:
    if mask.shape == shape:
        return mask
    resized = cv2.resize(mask.astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized > 0)


def is_copy(mask: Mask, given: Mask, *, at_least: float = _COPY) -> bool:
    """Return whether a mask, in the size of the given one, has that IoU with it."""
    fitted = _resize(mask, given.shape)
    either = int(np.count_nonzero(fitted | given))
    return either > 0 and int(np.count_nonzero(fitted & given)) > at_least * either


def list_shown(record: Record, sight: Sight) -> Iterator[tuple[str, int, bool]]:
    """Yield for each image that reached a network: its case, the number of steps before, and whether it was learnt."""
    for event in record.list("shown"):
        images = record.array(event["images"])
        for image in () if images is None else images:
            yield sight.find(image)[0], int(event["steps"]), bool(event["learns"])


def read_outputs(record: Record, sight: Sight, sizes: Mapping[str, tuple[int, ...]]) -> dict[str, Mask]:
    """Return what the network gave for cases after the last step, the first output of each, in the size of its image.

    Foreground is a probability above one half. Outputs that do not lie between 0 and 1 are taken for logits.

    Args:
        record: What was written down.
        sight: All cases that the scripts were given.
        sizes: The cases that are asked for, with height and width of their images.
    """
    outputs: dict[str, NDArray[np.float32]] = {}
    for event in record.list("predicted"):
        images, output = record.array(event["images"]), record.array(event["output"])
        if images is None or output is None or output.shape[1] > 2:
            continue
        for image, each in zip(images, np.nan_to_num(output), strict=True):
            name, way = sight.find(image)
            if name in sizes:
                outputs.setdefault(name, right(each, way))
    are_probabilities = all(each.min() >= 0 and each.max() <= 1 for each in outputs.values())
    return {
        name: _enlarge(_find_probability(each, are_probabilities), sizes[name]) > _FOREGROUND
        for name, each in outputs.items()
    }


def _find_probability(output: NDArray[np.float32], is_probability: bool) -> NDArray[np.float32]:
    """Return the probability of foreground; of two channels, the second is that of foreground."""
    if is_probability:
        return output[0] if len(output) == 1 else np.asarray((output[1] - output[0] + 1) / 2)
    logit = output[0] if len(output) == 1 else output[1] - output[0]
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -80, 80))))


def _enlarge(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(np.ascontiguousarray(values), (size[1], size[0]), interpolation=cv2.INTER_LINEAR))
