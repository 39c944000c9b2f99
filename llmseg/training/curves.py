"""The curves of a training as small drawings for a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 312, 24, 142
"""Edges of the axes in pixels."""

_COLOURS = ("#2f86c9", "#d9631e")
"""Colours of lines that have enough contrast on a white and on a black ground."""


def curves_svg(title: str, lines: Mapping[str, Sequence[float]]) -> str:
    """Draw one or two lines of values over epochs, as SVG that takes the colour of its text from the page.

    Args:
        title: What is drawn.
        lines: Values of every epoch by the name of the line; what is no number is a gap.

    Returns:
        The drawing; nothing if no value is a number.

    Example:
        >>> drawing = curves_svg("loss", {"training": [0.5, 0.25], "validation": [0.6, math.nan]})
        >>> drawing.count("<polyline"), drawing.count("<circle")
        (2, 3)
    """
    values = [value for line in lines.values() for value in line if math.isfinite(value)]
    if not values:
        return ""
    epochs = max(len(line) for line in lines.values())
    low, high = min(values), max(values)
    drawn = [f'<path d="M{_LEFT},{_TOP} V{_BOTTOM} H{_RIGHT}" fill="none" stroke="currentColor" opacity="0.5"/>']
    drawn += [_text(_LEFT, 14, title), _text(_LEFT - 5, _TOP + 8, _number(high, high), "end")]
    drawn += [_text(_LEFT - 5, _BOTTOM, _number(low, high), "end")] if low < high else []
    drawn += [_text(_LEFT, _BOTTOM + 16, "epoch 1"), _text(_RIGHT, _BOTTOM + 16, str(epochs), "end")]
    for index, ((name, line), colour) in enumerate(zip(lines.items(), _COLOURS, strict=False)):
        if len(lines) > 1:
            drawn.append(_text(_RIGHT - 75 * (len(lines) - 1 - index), 14, name, "end", colour))
        for part in _split_at_gaps(line):
            points = [
                (
                    _LEFT + (_RIGHT - _LEFT) * (epoch / (epochs - 1) if epochs > 1 else 0.5),
                    _BOTTOM - (_BOTTOM - _TOP) * ((value - low) / (high - low) if low < high else 0.5),
                )
                for epoch, value in part
            ]
            listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            drawn.append(f'<polyline points="{listed}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            if epochs < 20:
                drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}"/>' for x, y in points]
    label = escape(f"{title} over {epochs} epochs, from {_number(low, high)} to {_number(high, high)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="320" height="164" role="img" aria-label="{label}" '
        f'style="font:11px sans-serif">{"".join(drawn)}</svg>'
    )


def _number(value: float, high: float) -> str:
    """Return a value; 0 for one that nobody could tell from 0 beside the highest."""
    return "0" if abs(value) < high / 1000 else f"{value:.3g}"


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "currentColor") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _split_at_gaps(line: Sequence[float]) -> Iterator[list[tuple[int, float]]]:
    """Yield the parts of a line without gaps, as numbers of epochs from 0 on with their values."""
    part: list[tuple[int, float]] = []
    for epoch, value in enumerate(line):
        if math.isfinite(value):
            part.append((epoch, value))
        elif part:
            yield part
            part = []
    if part:
        yield part
