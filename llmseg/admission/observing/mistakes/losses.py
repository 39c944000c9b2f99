"""Losses and scores that read an output wrongly: mistakes 12, 13, 14 (shapes) and 15."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from llmseg.admission.findings import Finding
from llmseg.admission.observing.functions import (
    COMPARISONS,
    FROM_LOGITS,
    SHAPING,
    SIGMOIDS,
    SOFTMAXES,
    is_output,
    is_squashed,
    list_inputs,
    list_numbers,
    list_tensors,
)
from llmseg.admission.observing.mistakes.common import list_scored
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.observing.record import Event

_FEW = 3
_ONLY_RATIOS = {
    "mul", "sum", "div", "add", "sub", "mean", "rsub", "__rsub__", "true_divide", "__rmul__", "__radd__", "neg",
    "__mul__", "__add__", "__sub__", "__truediv__", "item", "dot",
}  # fmt: skip


def find_wrong_shapes(observation: Observation) -> Iterator[Finding]:
    """14: output and mask have shapes that are stretched against each other."""
    for each in observation.passes:
        for function in each.functions if any(each.ids) else ():
            shapes = [tuple(tensor["shape"]) for tensor in list_inputs(function) if "shape" in tensor]
            made = [tuple(result["shape"]) for result in function["results"] or ()]
            others = [tensor for tensor in list_inputs(function) if "other" in tensor]
            if len(shapes) != 2 or len(made) != 1 or not others or not shapes[0] or not shapes[1]:
                continue
            most = max(map(math.prod, shapes))
            if math.prod(made[0]) > most and min(map(math.prod, shapes)) >= shapes[0][-1] * shapes[1][-1] > 1:
                yield Finding(
                    14,
                    f"'{function['name']}' of an output {list(shapes[0])} and a mask {list(shapes[1])} gives "
                    f"{list(made[0])}: each image is compared with the masks of the others, too",
                    function.place,
                    "equal shapes",
                    f"{list(shapes[0])} and {list(shapes[1])}",
                )
                return


def find_sigmoids(observation: Observation) -> Iterator[Finding]:
    """12: a sigmoid twice, or none where a probability is needed."""
    learnt = observation.learnt
    scored = list_scored(observation)
    for part, passes, quirk in (
        ("loss", learnt, "double-sigmoid"),
        ("validation", [each for each in scored if each.part == "validation"], "double-sigmoid-in-validation"),
        ("test", [each for each in scored if each.part == "test"], "double-sigmoid-in-test"),
    ):
        twice = _find_twice(passes)
        if twice is not None:
            yield Finding(
                12,
                f"the output of the network has gone through a sigmoid, and '{twice['name']}' applies another ({part})",
                twice.place,
                "one sigmoid",
                "two",
                quirk=quirk,
                repair="loss.reads=probability" if part == "loss" else None,
            )
            return
    raw = _find_raw_threshold(learnt, scored)
    if raw is not None:
        yield Finding(
            12,
            "logits are compared with 0.5 for a score, as if they were probabilities",
            raw.place,
            "a sigmoid before the threshold, or a threshold of 0",
            "logits above 0.5",
            quirk="raw-logits-in-validation",
            repair="score.reads=sigmoid",
        )
        return
    missing = _find_missing(learnt)
    if missing is not None:
        yield Finding(
            12,
            "the loss multiplies logits with the mask and divides by their sum, as if they were probabilities",
            missing.place,
            "a sigmoid before the ratio",
            "none",
            quirk="missing-sigmoid",
            repair="loss.reads=logits",
        )


def _find_twice(passes: Sequence[Pass]) -> Event | None:
    for each in passes:
        for function in each.functions:
            if function["name"] in SIGMOIDS + FROM_LOGITS:
                first = next(iter(list_tensors(function)), None)
                if first is not None and is_squashed(each, first):
                    return function
    return None


_UNBOUNDED = ("conv2d", "conv_transpose2d", "linear")
"""Layers whose output may be any number."""


def _has_raw_output(each: Pass) -> bool:
    output = each.output
    if output is None or output.size == 0 or each.made_by[0] in SIGMOIDS + SOFTMAXES:
        return False
    # In its first epochs, a network may well give logits between 0 and 1.
    return each.made_by[0] in _UNBOUNDED or bool(output.min() < -0.01 or output.max() > 1.01)


def _reads_logits(each: Pass) -> bool:
    return each.made_by[0] in SIGMOIDS or any(function["name"] in SIGMOIDS + FROM_LOGITS for function in each.functions)


def _find_raw_threshold(learnt: Sequence[Pass], scored: Sequence[Pass]) -> Event | None:
    if not learnt or not all(map(_reads_logits, learnt)):
        return None
    for each in scored:
        output = each.output
        if not _has_raw_output(each) or output is None or output.shape[1] != 1:
            continue
        for function in each.functions:
            tensors = list_tensors(function)
            is_half = function["name"] in COMPARISONS and list_numbers(function) == [0.5]
            if is_half and tensors and is_output(each.functions, tensors[0]):
                return function
    return None


def _find_missing(learnt: Sequence[Pass]) -> Event | None:
    """Return the first function of a loss that is nothing but a ratio of sums, with logits in it."""
    if len(learnt) < _FEW or not all(map(_has_raw_output, learnt)):
        return None
    for each in learnt:
        names = {str(function["name"]) for function in each.functions if function.at < (each.backward or function).at}
        from_output = [function for function in each.functions if any("other" in t for t in list_inputs(function))]
        is_ratio = {"mul", "div"} <= {name.strip("_").removeprefix("r").replace("true", "") for name in names}
        plain = {name for name in names if name not in _ONLY_RATIOS} - set(SHAPING)
        if not is_ratio or plain or not from_output:
            return None
    return from_output[0]


def find_softmaxes(observation: Observation) -> Iterator[Finding]:
    """13: a softmax or argmax over a single channel is 1, or 0, whatever the output is."""
    for each in observation.passes:
        if not any(each.ids):
            continue
        name, about = each.made_by
        if name in SOFTMAXES and about and about[0]:
            shape, numbers = about[0][0], [*about[1], *about[2].values()]
            axes = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
            if axes and _size(shape, axes[0]) == 1:
                yield _find_softmax(each.place, name, shape)
                return
        for function in each.functions:
            shape = next((tensor["shape"] for tensor in list_inputs(function) if "tensor" in tensor), None)
            if shape and _is_over_one(function, shape):
                yield _find_softmax(function.place, str(function["name"]), shape)
                return


def _is_over_one(function: Event, shape: list[int]) -> bool:
    if function["name"] == "cross_entropy":
        return len(shape) > 1 and shape[1] == 1
    if function["name"] not in (*SOFTMAXES, "argmax"):
        return False
    axis = (function["named"] or {}).get("dim")
    if axis is None:
        axis = next((each for each in function["arguments"][1:] if isinstance(each, int)), None)
    return isinstance(axis, int) and _size(shape, axis) == 1


def _size(shape: list[int], axis: int) -> int | None:
    return shape[axis] if -len(shape) <= axis < len(shape) else None


def _find_softmax(place: str, name: str, shape: list[int]) -> Finding:
    return Finding(
        13, f"'{name}' over an axis of length 1 of an output {shape}: the result is constant", place, "a sigmoid", name
    )
