"""The preparation of a script as one of the library: the tensors that it makes of the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray

from llmseg.admission.observing.observation import Item, Observation, Pass
from llmseg.recipe import textbook
from llmseg.recipe.dice import match_sizes
from llmseg.recipe.images import Prepare

_ENOUGH = 6
_DIGITS = 6

Files = Mapping[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""The pixels of the files of each case: image and mask."""


def draw_files(observation: Observation) -> Files:
    """Return the pixels of the cases as they are drawn, which those of the files are if no format changes them."""
    phantoms = observation.phantoms
    return {id: (phantoms.image(id), phantoms.noisy_mask(id)) for id in phantoms.ids}


def fit_images(observation: Observation, files: Files) -> Prepare | str:
    """Return the preparation that makes of files what arrived, or why there is none.

    Args:
        observation: The observation.
        files: The pixels of the files.
    """
    items = _list_plain(observation)
    if len(items) < _ENOUGH:
        return "too few images came whole and the right way up"
    seen = [images[number] for each, _, number in items if (images := each.images) is not None]
    colour = {1: "grey", 3: "rgb"}.get(seen[0].shape[0])
    if colour is None:
        return f"images have {seen[0].shape[0]} channels"
    pixels = [files[item.id][0] for _, item, _ in items]
    phantoms, size = observation.phantoms, seen[0].shape[-2:]
    # No script has the odd size of the cases written into itself.
    kept = None if size == (phantoms.height, phantoms.width) else size
    base: Any = replace(textbook.IMAGES, colour="grey" if colour == "grey" else "rgb", size=kept)
    for prepare in _list_images(base):
        scaled = _scale(prepare, pixels, seen)
        if scaled is not None:
            return _fit_masks(scaled, items, files)
    return "no preparation of the library gives the images that arrived"


def prepare_masks(seen: Pass, prepare: Prepare, files: Files) -> torch.Tensor | None:
    """Return the masks of a pass as they are prepared, ``None`` if its images are not known or came otherwise."""
    if not seen.items or any(not item.is_plain for item in seen.items):
        return None
    return torch.stack([prepare.mask(files[id][1]).float() for id in seen.ids])


def _list_plain(observation: Observation) -> list[tuple[Pass, Item, int]]:
    """Return some cases, each once, that came whole and the right way up; those of the training first."""
    found: dict[str, tuple[Pass, Item, int]] = {}
    for each in sorted(observation.passes, key=lambda each: each.part != "training"):
        for number, item in enumerate(each.items):
            if item.is_plain:
                found.setdefault(item.id, (each, item, number))
    return list(found.values())[:_ENOUGH]


def _choices(name: str) -> tuple[str, ...]:
    """Return the words that a field of a preparation may have."""
    return tuple(get_args(get_type_hints(Prepare)[name]))


def _list_images(base: Any) -> Iterator[Any]:
    for method in _choices("image_resize"):
        for when in _choices("colour_when"):
            yield replace(base, image_resize=method, colour_when=when)


def _scale(prepare: Any, files: list[NDArray[Any]], seen: list[NDArray[Any]]) -> Prepare | None:
    """Return a preparation with the mean and deviation that give the images seen, ``None`` if none do."""
    plain = np.stack([prepare.image(file).numpy() for file in files]).astype(np.float64)
    arrived = np.stack(seen).astype(np.float64)
    if plain.shape != arrived.shape:
        return None
    slope, offset = np.polyfit(plain.ravel(), arrived.ravel(), 1)
    if not slope > 0 or np.abs(plain * slope + offset - arrived).max() > 1e-4 * slope:
        return None
    std, mean = float(f"{1 / slope:.{_DIGITS - 2}g}"), round(float(-offset / slope), _DIGITS - 2) + 0.0
    distances: dict[float, Prepare] = {}
    for arithmetic in _choices("arithmetic"):
        scaled: Prepare = replace(prepare, mean=mean, std=std, arithmetic=arithmetic)
        given = np.stack([scaled.image(file).numpy() for file in files])
        distances.setdefault(float(np.abs(given - arrived).max()), scaled)
    nearest = min(distances)
    return distances[nearest] if nearest <= 1e-6 * max(1.0, float(np.abs(arrived).max())) else None


def _fit_masks(images: Any, items: list[tuple[Pass, Item, int]], files: Files) -> Prepare | str:
    pairs = [
        (files[item.id][1], masks[number, -1])
        for each, item, number in items
        if (masks := each.masks) is not None and item.mask_id in ("", item.id)
    ]
    if len(pairs) < _ENOUGH // 2:
        return "too few masks were seen"
    for method in _choices("mask_resize"):
        for threshold in (0.5, None, 0.0):
            for when in ("after-resize", "before-resize"):
                prepare: Prepare = replace(images, mask_resize=method, mask_threshold=threshold, threshold_when=when)
                if all(_gives(prepare, file, seen) for file, seen in pairs):
                    return prepare
    return "no preparation of the library gives the masks that arrived"


def _gives(prepare: Prepare, file: NDArray[np.uint8], seen: NDArray[Any]) -> bool:
    """Return whether a mask is what was seen, also if it was brought to the size of a smaller output then."""
    mask = prepare.mask(file)[None].float()
    if mask.shape[-2:] != seen.shape:
        _, mask = match_sizes(torch.zeros(1, 1, *seen.shape), mask, "mask-to-output")
    return bool(np.abs(mask[0, 0].numpy() - seen).max() <= 1e-6)
