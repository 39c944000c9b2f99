"""What a script computes from an output: the functions of a pass as a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llmseg.admission.observing.observation import Pass
from llmseg.admission.observing.record import Event

SIGMOIDS = ("sigmoid", "sigmoid_", "expit", "hardsigmoid")
SOFTMAXES = ("softmax", "log_softmax", "softmin", "gumbel_softmax")
FROM_LOGITS = ("binary_cross_entropy_with_logits", "logsigmoid", "sigmoid_focal_loss")
COMPARISONS = ("gt", "ge", "lt", "le", "__gt__", "__ge__", "__lt__", "__le__", "greater", "greater_equal", "less")
TIMES, DIVISIONS = ("mul", "__rmul__", "__mul__"), ("div", "true_divide", "__truediv__")
SHAPING = (
    *(
        "view",
        "view_as",
        "reshape",
        "reshape_as",
        "flatten",
        "squeeze",
        "squeeze_",
        "unsqueeze",
        "permute",
        "transpose",
    ),
    *("contiguous", "detach", "clone", "cpu", "to", "float", "double", "type", "as_tensor", "__getitem__"),
    "requires_grad_",
)
"""Functions that leave the values as they are."""


def list_inputs(function: Event) -> Iterator[dict[str, Any]]:
    """Yield the tensors that a function was given, each as it is described in the record."""
    for value in [*(function["arguments"] or ()), *(function["named"] or {}).values()]:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield each


def list_tensors(function: Event) -> list[int]:
    """Return the numbers of the tensors that a function was given, without those that come from elsewhere."""
    return [each["tensor"] for each in list_inputs(function) if "tensor" in each]


def list_numbers(function: Event) -> list[float]:
    """Return the plain numbers that a function was given, single values of tensors among them."""
    values = [*(function["arguments"] or ()), *(function["named"] or {}).values()]
    numbers = [each["constant"] if isinstance(each, dict) and "constant" in each else each for each in values]
    return [float(each) for each in numbers if isinstance(each, int | float) and not isinstance(each, bool)]


def results(function: Event) -> list[int]:
    """Return the numbers of the tensors that a function made."""
    return [each["tensor"] for each in function["results"] or ()]


def find_origin(functions: Sequence[Event], tensor: int) -> Event | None:
    """Return the function that computed the values of a tensor; ``None`` if it is an output of the network."""
    for function in reversed(functions):
        if tensor in results(function):
            if function.name == "function" and function["name"] in SHAPING:
                before = next(iter(list_tensors(function)), None)
                return None if before is None else find_origin(functions[: functions.index(function)], before)
            return function
    return None


def is_output(functions: Sequence[Event], tensor: int) -> bool:
    """Return whether a tensor has the values of an output of the network."""
    return find_origin(functions, tensor) is None


def find_ancestors(functions: Sequence[Event], tensor: int) -> list[Event]:
    """Return the functions through which a tensor comes from the output, in their order."""
    wanted, found = {tensor}, []
    for function in reversed(functions):
        if wanted & set(results(function)):
            found.append(function)
            wanted |= set(list_tensors(function))
    return found[::-1]


def sign(functions: Sequence[Event], tensor: int) -> tuple[str, ...]:
    """Return the names of the functions by which a tensor is computed: equal for equal formulas."""
    names = (str(each["name"]) for each in find_ancestors(functions, tensor))
    return tuple(name for name in names if name not in SHAPING)


def find_loss(seen: Pass) -> tuple[str, ...]:
    """Return the formula of the loss that went backward through a pass, empty if it was not followed."""
    tensor = None if seen.backward is None else seen.backward["tensor"]
    return () if tensor is None else sign(seen.functions, tensor)


def unscale_loss(seen: Pass) -> tuple[tuple[str, ...], float]:
    """Return the formula of a loss before it was divided or multiplied by numbers, and what it was divided by in all.

    Scripts that add up the gradients of several batches divide each loss by their number.
    """
    tensor, divisor = None if seen.backward is None else seen.backward["tensor"], 1.0
    while tensor is not None:
        last = find_origin(seen.functions, tensor)
        if last is None or last.name != "function" or last["name"] not in (*DIVISIONS, *TIMES):
            break
        inner, numbers = list_tensors(last), list_numbers(last)
        if len(inner) != 1 or len(numbers) != 1 or not numbers[0]:
            break
        tensor = inner[0]
        divisor *= numbers[0] if last["name"] in DIVISIONS else 1 / numbers[0]
    return (() if tensor is None else sign(seen.functions, tensor)), divisor


def find_value(seen: Pass, formula: tuple[str, ...]) -> float | None:
    """Return the number that a pass yields by a formula, ``None`` if the script does not compute it."""
    for function in reversed(seen.functions):
        for result in function["results"] or ():
            if result.get("value") is not None and sign(seen.functions, result["tensor"]) == formula:
                return float(result["value"])
    return None


def is_squashed(seen: Pass, tensor: int) -> bool:
    """Return whether a tensor has gone through a sigmoid or softmax already, in the network or after it."""
    origin = find_origin(seen.functions, tensor)
    if origin is not None:
        return origin["name"] in SIGMOIDS + SOFTMAXES
    return seen.made_by[0] in SIGMOIDS + SOFTMAXES
