"""The loss of a script as one of the library: the same number at its first step, and at its first validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from llmseg.admission.observing.functions import find_loss, find_value
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.observing.terms import read_loss
from llmseg.recipe import textbook
from llmseg.recipe.dice import Sizes
from llmseg.recipe.losses import BCEDice

_CLOSE = 1e-5

Masks = Callable[[Pass], torch.Tensor | None]
"""Gives the masks of a pass as they are prepared; ``None`` if that is not known."""


def fit_loss(observation: Observation, masks: Masks) -> BCEDice | str:
    """Return the loss that gives the numbers that were seen, or why there is none.

    Args:
        observation: The observation.
        masks: The masks of a pass.
    """
    learnt = observation.learnt
    loss = read_loss(learnt[0]) if learnt else None
    if loss is None:
        return "the loss was not followed"
    others = [name for name in loss.terms if name not in ("bce", "dice")]
    if loss.foreign or others or loss.constant or loss.positive_weight or loss.reads == "softmax":
        named = [*loss.foreign, *others, *(["a constant"] if loss.constant else [])]
        return f"it has what no field says: {', '.join(named) or 'weights of pixels, or a softmax'}"
    fields: dict[str, Any] = {name: loss.terms.get(name, 0.0) for name in ("bce", "dice")}
    fields["reads"] = "probability" if loss.reads == "probability" else "logits"
    if loss.ratio is not None:
        fields |= {"dice_over": loss.ratio.over, "dice_smooth": loss.ratio.smooth}
    fitted = replace(textbook.LOSS, sizes=tell_sizes(learnt[0]), **fields)
    given = list_tensors_of(learnt[0], masks)
    if given is None or learnt[0].loss is None:
        return "its tensors were not kept"
    value = float(fitted(*given))
    if not is_close(value, learnt[0].loss):
        return f"its terms give {value:.6g} where the script got {learnt[0].loss:.6g}"
    return _fit_validation(observation, fitted, masks)


def _fit_validation(observation: Observation, fitted: BCEDice, masks: Masks) -> BCEDice:
    """Return a loss with the threshold that gives the numbers of the validation, if one is needed."""
    formula = find_loss(observation.learnt[0])
    scored = observation.of("validation")
    pairs = [(find_value(each, formula), list_tensors_of(each, masks)) for each in scored]
    known = [(value, given) for value, given in pairs if value is not None and given is not None]
    for threshold in (None, 0.5):
        loss = replace(fitted, validation_threshold=threshold)
        if known and all(is_close(float(loss(*given, validating=True)), value) for value, given in known):
            return loss
    return fitted


def list_tensors_of(seen: Pass, masks: Masks) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return the output of a pass and its masks: as they are prepared, otherwise as the output met them."""
    prepared, output = masks(seen), seen.output
    if prepared is None and (met := seen.masks) is not None:
        prepared = torch.from_numpy(met.astype(np.float32))
    return None if prepared is None or output is None else (torch.from_numpy(output), prepared)


def tell_sizes(seen: Pass) -> Sizes:
    """Return which of output and masks was resized before they met."""
    output, images, met = seen.output, seen.images, seen.masks
    if output is None or images is None or met is None or output.shape[-2:] == images.shape[-2:]:
        return "equal"
    return "mask-to-output" if met.shape[-2:] == output.shape[-2:] else "output-to-mask"


def is_close(one: float, other: float) -> bool:
    """Return whether two numbers differ by rounding only."""
    return abs(one - other) <= _CLOSE * max(abs(one), abs(other))
