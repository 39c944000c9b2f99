"""Reading the terms of a loss from the functions by which a script computes it.

A loss is taken apart where it is a weighted sum. What is left (a cross entropy, a ratio of sums) is named, and a ratio
counts as known only if its formula gives the number that the script got.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing.functions import (
    DIVISIONS,
    SHAPING,
    SIGMOIDS,
    SOFTMAXES,
    TIMES,
    find_ancestors,
    is_squashed,
    list_inputs,
    list_numbers,
    list_tensors,
    results,
)
from llmseg.admission.observing.observation import Pass
from llmseg.admission.observing.record import Event

SUMS, _MINUS, _REVERSED = ("add", "__radd__", "__add__", "add_"), ("sub", "__sub__"), ("__rsub__", "rsub")
_NAMES = {
    "binary_cross_entropy_with_logits": "bce",
    "binary_cross_entropy": "bce",
    "cross_entropy": "cross-entropy",
    "mse_loss": "mse",
    "l1_loss": "l1",
    "smooth_l1_loss": "smooth-l1",
}
_CLOSE = 2e-4


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums over pixels: (a I + s) / (b P + c T + d I + s), with I = sum of p t, P of p and T of t.

    Attributes:
        name: ``"dice"``, ``"iou"`` or ``"tversky"``.
        over: ``"case"`` or ``"batch"``.
        smooth: The constant s.
        alpha: Weight of what is predicted and not there, for Tversky.
        beta: Weight of what is there and not predicted.
    """

    name: str
    over: str
    smooth: float
    alpha: float | None = None
    beta: float | None = None


@dataclass(frozen=True)
class LossTerms:
    """The terms of a loss.

    Attributes:
        terms: Weight by name; a ratio r counts as 1 - r.
        constant: What is added besides.
        reads: How the output is read: ``"logits"``, ``"probability"`` or ``"softmax"``.
        ratio: The ratio, ``None`` if there is none.
        positive_weight: The weight of foreground in a cross entropy, ``None`` if it has none.
        foreign: What is not known, as names of functions; such a loss stays a part of its own.
    """

    terms: dict[str, float]
    constant: float
    reads: str
    ratio: Ratio | None = None
    positive_weight: float | None = None
    foreign: tuple[str, ...] = field(default=())


def read_loss(seen: Pass) -> LossTerms | None:
    """Return the terms of the loss of a pass, ``None`` if it was not followed."""
    if seen.backward is None or seen.backward["tensor"] is None:
        return None
    constant, parts = _take_apart(seen.functions, seen.backward["tensor"])
    terms: dict[str, float] = {}
    foreign: list[str] = []
    ratio, positive_weight = None, None
    for weight, event in parts:
        name = "" if event is None else _NAMES.get(str(event["name"]), "")
        if event is not None and not name:
            found = _read_ratio(seen, event)
            if found is not None:
                ratio, name = found, found.name
                weight, constant = -weight, constant + weight
        if event is not None and name:
            terms[name] = terms.get(name, 0.0) + weight
            given = (event["named"] or {}).get("pos_weight")
            positive_weight = given["constant"] if isinstance(given, dict) and "constant" in given else positive_weight
        else:
            foreign.append("output" if event is None else str(event["name"]))
    rounded = {name: float(f"{weight:.6g}") for name, weight in terms.items()}
    return LossTerms(rounded, float(f"{constant:.6g}"), _tell_reading(seen), ratio, positive_weight, tuple(foreign))


def _tell_reading(seen: Pass) -> str:
    names = {str(function["name"]) for function in seen.functions}
    if names & set(SOFTMAXES) or seen.made_by[0] in SOFTMAXES:
        return "softmax"
    if seen.made_by[0] in SIGMOIDS and not names & set(SIGMOIDS) and "binary_cross_entropy_with_logits" not in names:
        return "probability"
    return "logits"


def _take_apart(functions: Sequence[Event], tensor: int) -> tuple[float, list[tuple[float, Event | None]]]:
    """Return (constant, parts with their weights) of a tensor that is a weighted sum."""
    event = next((each for each in reversed(functions) if tensor in results(each)), None)
    if event is None:
        return 0.0, [(1.0, None)]
    name, before = str(event["name"]), functions[: functions.index(event)]
    tensors = list_tensors(event)
    numbers = list_numbers(event)
    inner = [_take_apart(before, each) for each in tensors]
    if len(tensors) == 1 and not any("other" in each for each in list_inputs(event)):
        constant, parts = inner[0]
        if name in SHAPING or (name == "mean" and _is_by_case(event)):
            return constant, parts
        scale = _find_scale(name, numbers)
        if scale is not None:
            factor, shift = scale
            return constant * factor + shift, [(weight * factor, each) for weight, each in parts]
    if len(tensors) == 2 and not numbers and name in (*SUMS, *_MINUS, *_REVERSED):
        signs = {**dict.fromkeys(SUMS, (1, 1)), **dict.fromkeys(_MINUS, (1, -1)), **dict.fromkeys(_REVERSED, (-1, 1))}
        parts = [(sign * w, each) for sign, (_, own) in zip(signs[name], inner, strict=True) for w, each in own]
        return sum(sign * constant for sign, (constant, _) in zip(signs[name], inner, strict=True)), parts
    return 0.0, [(1.0, event)]


def _is_by_case(event: Event) -> bool:
    """Return whether a mean is taken over values of cases, and not over pixels."""
    shape: list[int] = next((each["shape"] for each in list_inputs(event) if "tensor" in each), [])
    return len(shape) <= 2 and (not shape or shape[-1] < 64)


def _find_scale(name: str, numbers: Sequence[float]) -> tuple[float, float] | None:
    """Return (factor, shift) of a function of one tensor and one number, ``None`` if it is none of these."""
    if name in ("neg", "__neg__"):
        return -1.0, 0.0
    if len(numbers) != 1:
        return None
    number = numbers[0]
    for names, scale in (
        (SUMS, (1.0, number)),
        (_MINUS, (1.0, -number)),
        (_REVERSED, (-1.0, number)),
        (TIMES, (number, 0.0)),
        (DIVISIONS, (1 / number if number else 0.0, 0.0)),
    ):
        if name in names:
            return scale
    return None


def _read_ratio(seen: Pass, event: Event) -> Ratio | None:
    """Return which ratio of sums a division is; the formula has to give the number that the script got."""
    tensors = list_tensors(event)
    if event["name"] not in DIVISIONS or len(tensors) != 2:
        return None
    value, over = find_mean(seen, event)
    output, targets = seen.output, seen.targets
    if value is None or output is None or targets is None or output.shape[-2:] != targets.shape[-2:]:
        return None
    probability = _to_probability(seen, output[:, -1].astype(np.float64))
    axes = (0, 1, 2) if over == "batch" else (1, 2)
    target = targets[:, -1].astype(np.float64)
    sums = [np.sum(each, axis=axes) for each in (probability * target, probability, target)]
    functions = seen.functions[: seen.functions.index(event)]
    above, below = (_list_constants(functions, each) for each in tensors)
    for ratio in _list_ratios(above, below, over):
        if abs(float(np.mean(compute_ratio(ratio, *sums))) - value) <= _CLOSE * max(abs(value), 1e-6):
            return ratio
    return None


def compute_ratio(
    ratio: Ratio, both: NDArray[np.float64], predicted: NDArray[np.float64], there: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the value of a ratio of sums.

    Args:
        ratio: Which one.
        both: The sum of p t.
        predicted: The sum of p.
        there: The sum of t.
    """
    if ratio.name == "dice":
        return np.asarray((2 * both + ratio.smooth) / (predicted + there + ratio.smooth))
    if ratio.name == "iou":
        return np.asarray((both + ratio.smooth) / (predicted + there - both + ratio.smooth))
    wrong = (ratio.alpha or 0) * (predicted - both) + (ratio.beta or 0) * (there - both)
    return np.asarray((both + ratio.smooth) / (both + wrong + ratio.smooth))


def find_mean(seen: Pass, event: Event) -> tuple[float | None, str]:
    """Return the number that a division gave (``"batch"``), or the mean over cases that was taken of it (``"case"``).

    Args:
        seen: The pass.
        event: The division.
    """
    result: dict[str, Any] = next(iter(event["results"] or ()), {})
    if result.get("value") is not None:
        return result["value"], "batch"
    tensor = result.get("tensor")
    for later in seen.functions[seen.functions.index(event) + 1 :]:
        given = list_tensors(later)
        if tensor in given and later["name"] == "mean":
            return later["results"][0].get("value"), "case"
        if tensor in given and later["name"] in _REVERSED and list_numbers(later) == [1.0]:
            after = next((e for e in seen.functions if later["results"][0]["tensor"] in list_tensors(e)), None)
            if after is not None and after["name"] == "mean" and after["results"][0].get("value") is not None:
                return 1.0 - after["results"][0]["value"], "case"
    return None, ""


def _to_probability(seen: Pass, output: NDArray[np.float64]) -> NDArray[np.float64]:
    loss = seen.backward["tensor"] if seen.backward is not None else -1
    names = {str(each["name"]) for each in find_ancestors(seen.functions, loss)}
    if names & set(SIGMOIDS):
        return np.asarray(1 / (1 + np.exp(-output)))
    return output if is_squashed(seen, 0) else np.ones_like(output)


def _list_constants(functions: Sequence[Event], tensor: int) -> list[tuple[str, float]]:
    return [
        (str(event["name"]), number)
        for event in find_ancestors(functions, tensor)
        if event["name"] in (*SUMS, *TIMES, "clamp", "clamp_min", "max")
        for number in list_numbers(event)
    ]


def _list_ratios(above: list[tuple[str, float]], below: list[tuple[str, float]], over: str) -> Iterator[Ratio]:
    constants = list(dict.fromkeys([number for name, number in above + below if name in SUMS] + [0.0]))
    for smooth in constants:
        yield Ratio("dice", over, smooth)
        yield Ratio("iou", over, smooth)
    weights = list(dict.fromkeys(number for name, number in below if name in TIMES))
    for smooth in constants:
        for alpha in weights:
            yield from (Ratio("tversky", over, smooth, alpha, beta) for beta in weights)
