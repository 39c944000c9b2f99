"""How the numbers of an image of more than 8 bits become 0 to 255.

A file says in how many bits its numbers are stored, not which of them an image uses: cameras of 12 bits write files of
16, CT writes negative numbers, programs write floats from 0 to 1. A *depth* is the rule that says it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from llmseg.errors import UserError, nearest

Depth: TypeAlias = "int | str | None"
"""A number of bits, ``"unit"``, ``"window:LOW,HIGH"``, ``"percentiles:LOW,HIGH"``, or ``None``."""

BITS = range(8, 33)
"""Numbers of bits that may be said to be used."""

FEW_GREYS = 32
"""An image of more than 8 bits that had more grey levels than this, and keeps fewer, is reported."""

ROBUST = "percentiles:0.5,99.5"
"""What messages propose where single pixels lie far from the others."""

_ALLOWED = "a number of bits from 8 to 32, unit, window:LOW,HIGH or percentiles:LOW,HIGH"


def parse_depth(value: Depth) -> Depth:
    """Return a depth in its one spelling.

    Raises:
        UserError: It is none.

    Example:
        >>> parse_depth("12"), parse_depth("window:-160,240.0"), parse_depth("percentiles: 0.5, 99.5")
        (12, 'window:-160,240', 'percentiles:0.5,99.5')
    """
    if value is None or value == "unit":
        return value
    text = str(value).replace(" ", "")
    kind, _, rest = text.partition(":")
    limits = _read_numbers(rest)
    if text.isdecimal():
        if int(text) not in BITS:
            raise UserError(f"depth '{value}': bits may be from {BITS[0]} to {BITS[-1]}")
        return int(text)
    if kind not in ("window", "percentiles") or len(limits) != 2:
        words = ("unit", "window:LOW,HIGH", "percentiles:LOW,HIGH")
        raise UserError(f"depth '{value}': must be {_ALLOWED}{nearest(text, words)}")
    low, high = limits
    if not (np.isfinite(limits).all() and low < high):
        raise UserError(f"depth '{value}': the first number must be below the second")
    if kind == "percentiles" and not 0 <= low < high <= 100:
        raise UserError(f"depth '{value}': percentiles are from 0 to 100")
    return f"{kind}:{low:.15g},{high:.15g}"


def scale_to_bytes(numbers: np.ndarray, depth: Depth, name: str) -> np.ndarray:
    """Return numbers as uint8 of the same shape.

    Bits and ``unit`` refuse numbers that lie outside; ``window`` and ``percentiles`` cut them off.

    Args:
        numbers: ``[H, W]`` or ``[H, W, 3]``, of any type.
        depth: How they are scaled. A number of bits ``n`` is 0 to ``2**n - 1``; ``unit`` is 0 to 1; a window is from
            LOW to HIGH; percentiles are a window from one percentile of the image's own numbers to another. ``None``
            is 0 to 65535, and refuses floats that do not go beyond 1.
        name: What messages call the file.

    Raises:
        UserError: Numbers are not finite, or not what the depth says.

    Example:
        >>> scale_to_bytes(np.array([[0, 2048, 4095]], np.uint16), 12, "a.png")
        array([[  0, 128, 255]], dtype=uint8)
        >>> scale_to_bytes(np.array([[-1000, 40, 3000]], np.int16), "window:-160,240", "a.tif")
        array([[  0, 128, 255]], dtype=uint8)
    """
    return scale_between(numbers, *find_limits(numbers, depth, name))


def find_limits(numbers: np.ndarray, depth: Depth, name: str) -> tuple[float, float]:
    """Return the numbers that become 0 and 255, see :func:`scale_to_bytes`.

    Raises:
        UserError: As :func:`scale_to_bytes`.
    """
    if not np.isfinite(numbers).all():
        raise UserError(f"{name} holds values that are not finite; replace it or move it away")
    low, high = float(numbers.min()), float(numbers.max())
    if isinstance(depth, str) and depth != "unit":
        return _find_window(numbers, depth, low, high)
    floats, top = (
        numbers.dtype.kind == "f",
        1.0 if depth == "unit" else 2.0 ** (16 if depth is None else int(depth)) - 1,
    )
    if depth is None and floats and low >= 0 and 0 < high <= 1:
        raise UserError(f"{name} holds floats from {low:.4g} to {high:.4g}; {advise_depth(low, high, True)}")
    if low < 0 or high > top:
        said = "allowed without --depth are 0 to 65535" if depth is None else f"--depth {depth} is for 0 to {top:.10g}"
        cut = "" if depth is None else f", or --depth window:0,{top:.10g} to cut off what lies outside"
        raise UserError(
            f"{name} has values from {low:.10g} to {high:.10g}, {said}; {advise_depth(low, high, floats)}{cut}"
        )
    return 0.0, top


def scale_between(numbers: np.ndarray, bottom: float, top: float) -> np.ndarray:
    """Return numbers as uint8, of which ``bottom`` is 0 and ``top`` 255; what lies outside is cut off."""
    if not top > bottom:
        return np.zeros(numbers.shape, np.uint8)
    shares = np.clip((numbers.astype(np.float64) - bottom) / (top - bottom), 0, 1)
    result: np.ndarray = np.round(shares * 255).astype(np.uint8)
    return result


def advise_depth(low: float, high: float, floats: bool, usual: float | None = None) -> str:
    """Return the choices for images whose numbers go from ``low`` to ``high``, as a part of a message.

    Args:
        low: The smallest number.
        high: The largest.
        floats: Whether some of them are floats.
        usual: What nearly all of them do not exceed.
    """
    robust = f"--depth {ROBUST} for what each image has without its outermost values"
    if low < 0:
        return (
            f"choose --depth window:{low:.10g},{high:.10g} for all of these values, a narrower window such as "
            f"window:-160,240 for CT, or {robust}"
        )
    if floats and high <= 1:
        return f"choose --depth unit for 0 to 1, or {robust}"
    bits = _count_bits(high)
    if bits is None:
        return f"choose --depth window:{low:.10g},{high:.10g} for all of these values, or {robust}"
    choices = [f"--depth {bits} for 0 to {2**bits - 1}"]
    most = None if usual is None or usual <= 0 else _count_bits(usual)
    if most is not None and most < bits:
        choices.append(f"--depth window:0,{2**most - 1} to cut off the few that lie above")
    if bits < 16:
        choices.append("--depth 16 for 0 to 65535")
    return f"choose {', '.join(choices)}, or {robust}"


def _count_bits(high: float) -> int | None:
    """Return in how many bits that cameras have a number fits."""
    return next((bits for bits in (8, 10, 12, 14, 16) if high <= 2**bits - 1), None)


def _find_window(numbers: np.ndarray, depth: str, low: float, high: float) -> tuple[float, float]:
    kind, _, rest = depth.partition(":")
    first, last = (float(number) for number in rest.split(","))
    if kind == "window":
        return first, last
    bottom, top = (float(value) for value in np.percentile(numbers, (first, last)))
    # An image that is dark almost everywhere: of equal percentiles nothing would be left.
    return (bottom, top) if top > bottom else (low, high)


def _read_numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        return []
