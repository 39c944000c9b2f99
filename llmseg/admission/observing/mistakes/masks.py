"""Values of masks: mistakes 3, 4 and, in part, 14."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.findings import Finding
from llmseg.admission.observing.mistakes.common import list_items, place_of_reading
from llmseg.admission.observing.observation import Observation, Pass, TargetFigures

_FEW = 3
_SPREAD = 0.05
_EDGE = 0.002
"""Smoothing makes a share of all pixels grey that is some times larger; noise, also of JPEG files, makes none."""


def find_wrong_values(observation: Observation) -> Iterator[Finding]:
    """3, 4, 14: masks that reach the training loss and are not 0 and 1."""
    seen = [
        (each, item.target)
        for each, item in list_items(observation.of("training"))
        if item.target is not None and item.mask_id
    ]
    if len(seen) < _FEW:
        return
    place = place_of_reading(observation, masks=True) or seen[0][0].place
    figures = [target for _, target in seen]
    output = seen[0][0].output
    low, high = min(each.low for each in figures), max(each.high for each in figures)
    found = f"values from {low:.4g} to {high:.4g}"
    if high < 0.1:
        yield Finding(
            3, f"masks that reach the loss have {found}", place, "0 and 1", f"the highest value is {high:.4g}"
        )
    elif low < -0.01 and not _is_symmetric(low, high):
        yield Finding(
            3, f"masks that reach the loss have {found}: they are normalised like images", place, "0 and 1", found
        )
    elif _are_scaled(figures):
        yield Finding(
            3,
            f"masks that reach the loss have two values each, which are others from mask to mask: {found}",
            place,
            "0 and 1 in all masks",
            f"highest values from {min(each.high for each in figures):.4g} to {high:.4g}",
        )
    elif high > 1.5 and output is not None and output.shape[1] == 1:
        yield Finding(14, f"masks that reach the loss have {found}", place, "0 to 1", f"up to {high:.4g}")
    shares = [_measure_grey(mask) for each in observation.of("training") for mask in _list_masks(each)]
    if high > 0 and shares and min(shares) > _EDGE:
        yield Finding(
            4,
            f"files of masks hold two values, and {np.median(shares):.1%} of the pixels in the loss lie in between",
            place,
            "two values",
            f"up to {max(each.distinct for each in figures)} values",
            quirk="grey-masks",
            repair="images.mask_threshold=0.5",
        )


def _are_scaled(figures: Sequence[TargetFigures]) -> bool:
    """Return whether masks of two values have other ones from mask to mask, as a change of intensities leaves them."""
    pairs = {(each.low, each.high) for each in figures if each.distinct == 2}
    highs = [high for _, high in pairs]
    return len(pairs) > len(figures) / 2 and max(highs) - min(highs) > _SPREAD


def _is_symmetric(low: float, high: float) -> bool:
    """Return whether masks go from -1 to 1, as those for a hyperbolic tangent do."""
    return abs(low + 1) < 0.01 and abs(high - 1) < 0.01


def _list_masks(each: Pass) -> list[NDArray[Any]]:
    targets = each.masks
    if targets is None:
        return []
    return [targets[number, -1] for number, item in enumerate(each.items) if item.mask_id and number < len(targets)]


def _measure_grey(mask: NDArray[Any]) -> float:
    """Return the share of pixels that lie far from both the lowest and the highest value."""
    low, high = float(mask.min()), float(mask.max())
    scaled = (mask - low) / max(high - low, 1e-12)
    return float(((scaled > 0.15) & (scaled < 0.85)).mean())
