"""The lines of skips in a drawing, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from llmseg.figures.network.ground import Ground, entry_at
from llmseg.figures.network.oddities import Spot
from llmseg.figures.network.shapes import Arrow, Box, Label, Point
from llmseg.figures.network.stages import Skip
from llmseg.figures.network.words import change_word, size_text


def _skip_start(ground: Ground, skip: Skip, image: Box) -> Point:
    box = ground.boxes.get(skip.source)
    if box is None:
        return image.right, image.centre[1]
    if skip.at_entry:
        return entry_at(ground, skip.source) if skip.source else (image.right, image.centre[1])
    return (box.left if ground.column(skip.source) == "right" else box.right), box.centre[1]


def skip_arrows(ground: Ground, image: Box) -> Iterator[Arrow]:
    """Yield the line of every skip, in their order."""
    for index, skip in enumerate(ground.plan.skips):
        start, end = _skip_start(ground, skip, image), ground.boxes[skip.target]
        crosses = ground.column(skip.source) != "right" and ground.column(skip.target) == "right"
        points = _across(ground, start, end) if crosses else _around(ground, start, end, index)
        dot = skip.at_entry and skip.source in ground.boxes and skip.source > 0
        yield Arrow(points, ground.is_odd(Spot("skip", index)), dot)


def _across(ground: Ground, start: Point, end: Box) -> tuple[Point, ...]:
    """Return the points of a skip from the left side or the bottom to the right side, past the boxes of both."""
    target = end.left, end.centre[1]
    if all(_misses(start, target, box) for box in ground.boxes.values() if box is not end):
        return start, target
    first = max(
        [start[0], *(box.right + 0.06 for index, box in ground.boxes.items() if ground.column(index) == "left")]
    )
    last = min(
        [target[0], *(box.left - 0.06 for index, box in ground.boxes.items() if ground.column(index) == "right")]
    )
    return start, (first, start[1]), (last, target[1]), target


def _misses(start: Point, end: Point, box: Box) -> bool:
    """Whether a line does not cross a box; one that begins at its edge does not."""
    (x0, y0), (x1, y1) = start, end
    for step in range(1, 40):
        x, y = x0 + (x1 - x0) * step / 40, y0 + (y1 - y0) * step / 40
        if box.left < x < box.right and box.top < y < box.bottom:
            return False
    return True


def _around(ground: Ground, start: Point, end: Box, index: int) -> tuple[Point, ...]:
    """Return the points of a skip within one column, past the boxes between; each skip has a line of its own."""
    on_right = end.left > ground.width / 2
    inner = [
        box.left if on_right else box.right
        for box in ground.boxes.values()
        if (box.left > ground.width / 2) == on_right
    ]
    offset = 0.12 + 0.07 * (index % 8)
    x = min(inner) - offset if on_right else max(inner) + offset
    edge = end.left if on_right else end.right
    return start, (x, start[1]), (x, end.centre[1]), (edge, end.centre[1])


def skip_labels(ground: Ground, arrows: Sequence[Arrow]) -> Iterator[Label]:
    """Yield what is done to the maps of skips on their way, and how they join, where it is unusual."""
    for skip, arrow in zip(ground.plan.skips, arrows, strict=True):
        words = []
        if skip.size != skip.joined and not skip.layers:
            words.append(f"{change_word(skip.size, skip.joined, not skip.resized)} to {size_text(skip.joined)}")
        if skip.layers:
            words.append(f"{skip.layers} layer{'s' if skip.layers > 1 else ''}")
        if skip.how != ground.key.joins:
            words.append(skip.how)
        if words:
            (x0, y0), (x1, y1) = longest_piece(arrow)
            yield Label(((x0 + x1) / 2, (y0 + y1) / 2), ", ".join(words), "center", clear=True)


def longest_piece(arrow: Arrow) -> tuple[Point, Point]:
    """Return the ends of the longest straight piece of a line."""
    return max(pairwise(arrow.points), key=lambda ends: math.dist(*ends))
