"""Losses that reward what they should punish: mistake 15."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.findings import Finding
from llmseg.admission.observing.mistakes.losses import find_softmaxes, find_wrong_shapes
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.observing.terms import LossTerms, read_loss

_FEW = 3
_LARGE = 0.3
"""Share of the gradient that a term needs to count. One that smooths pulls against the mask, too, but little."""


def find_wrong_signs(observation: Observation) -> Iterator[Finding]:
    """15: the loss rewards what it should punish, or moves nothing."""
    if any(find_softmaxes(observation)):
        return  # a softmax over one channel has no gradient either
    steps = observation.record.list("step")
    still = [step for step in steps if not step["gradient"]]
    if len(steps) >= _FEW and len(still) == len(steps):
        found = "no gradient" if still[0]["gradient"] is None else "a gradient of 0"
        yield Finding(15, f"{found} at all {len(steps)} steps", steps[0].place, "a gradient that is not 0", found)
        return
    if any(find_wrong_shapes(observation)):
        return
    rewards = list(_find_rewards(observation))
    if rewards:
        yield from rewards
        return
    yield from _find_wrong_terms(observation)
    signs = [
        sign for each in observation.of("training") if (sign := _compare_gradients(each, each.gradient)) is not None
    ]
    if len(signs) >= _FEW and sum(signs) >= 0.9 * len(signs):
        place = next(each.backward.place for each in observation.passes if each.backward is not None)
        yield Finding(
            15,
            f"at {sum(signs)} of {len(signs)} steps the gradient lowers the output inside of the mask and raises it "
            "outside",
            place,
            "a loss that falls when output and mask agree",
            "a loss that rises",
        )


def _find_rewards(observation: Observation) -> Iterator[Finding]:
    """15: a term of the loss is subtracted that falls when output and mask agree, or an overlap is added."""
    loss = read_loss(observation.learnt[0]) if observation.learnt else None
    for name, weight in () if loss is None else loss.terms.items():
        if weight < 0:
            yield Finding(
                15,
                f"the term '{name}' of the loss has the weight {weight:.4g}, so it rewards what is wrong",
                observation.learnt[0].place,
                f"{-weight:.4g}",
                f"{weight:.4g}",
            )


def _find_wrong_terms(observation: Observation) -> Iterator[Finding]:
    """15: what is added to a cross entropy pulls the other way."""
    signs: list[bool | None] = []
    foreign: tuple[str, ...] = ()
    for each in observation.of("training"):
        loss = read_loss(each)
        if loss is None or not loss.foreign:
            continue
        gradient, entropy = each.gradient, _differentiate_entropy(each, loss)
        if gradient is None or entropy is None:
            continue
        rest = gradient - entropy
        if np.linalg.norm(rest) > _LARGE * np.linalg.norm(gradient):
            foreign = loss.foreign
            signs.append(_compare_gradients(each, rest))
    if len(signs) >= _FEW and sum(sign is True for sign in signs) >= 0.9 * len(signs):
        yield Finding(
            15,
            f"at {len(signs)} steps, what is added to the cross entropy ({', '.join(foreign)}) lowers the output "
            "inside of the mask and raises it outside",
            next(each.backward.place for each in observation.passes if each.backward is not None),
            "terms that all fall when output and mask agree",
            "one that rises",
            "likely",
        )


def _differentiate_entropy(each: Pass, loss: LossTerms) -> NDArray[Any] | None:
    """Return the part of the gradient at an output that its cross entropy has; ``None`` without such a term."""
    output, targets, weight = each.output, each.targets, loss.terms.get("bce")
    if weight is None or output is None or targets is None or output.shape != targets.shape or loss.positive_weight:
        return None
    exact = output.astype(np.float64)
    if loss.reads == "logits":
        slopes = 1 / (1 + np.exp(-exact)) - targets
    else:
        slopes = (exact - targets) / np.maximum(exact * (1 - exact), 1e-7)
    return np.asarray(weight * slopes / exact.size)


def _compare_gradients(each: Pass, gradient: NDArray[Any] | None) -> bool | None:
    """Return whether a gradient lowers the output inside of the mask and raises it outside."""
    targets = each.targets
    if gradient is None or targets is None or gradient.ndim != 4 or gradient.shape[-2:] != targets.shape[-2:]:
        return None
    inside = targets[:, -1] > (targets.min() + targets.max()) / 2
    if not inside.any() or inside.all():
        return None
    slopes = gradient[:, -1].astype(np.float64)
    return bool(slopes[inside].mean() > 0 > slopes[~inside].mean())
