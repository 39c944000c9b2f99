"""Where everything in the drawing of a network stands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmseg.figures.network.ground import (
    BOX,
    HEAD,
    LINE,
    MARGIN,
    PITCH,
    TRUNK,
    Ground,
    box_lines,
    box_width,
    entry_at,
    output_at,
    row_top,
)
from llmseg.figures.network.labels import Key, entry_text, make_key
from llmseg.figures.network.notes import note_shapes, title_labels
from llmseg.figures.network.oddities import Oddity, Spot
from llmseg.figures.network.rows import Column, Rows, find_rows
from llmseg.figures.network.shapes import DISC, Arrow, Box, Disc, Label, Point, Shape, text_width
from llmseg.figures.network.skip_lines import longest_piece, skip_arrows, skip_labels
from llmseg.figures.network.stages import Plan
from llmseg.figures.style import GREY, ORANGE, SINGLE, SKY, SMALL

_TINTS = {"left": SKY, "middle": GREY, "right": ORANGE}


@dataclass(frozen=True)
class Sheet:
    """A drawing as shapes.

    Attributes:
        width: Its width in inches.
        height: Its height in inches.
        shapes: What is on it; later shapes cover earlier ones.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]


def place(plan: Plan, oddities: Sequence[Oddity], title: str, ends_in: str, remark: str) -> Sheet:
    """Place a network and the sentences below it.

    Args:
        plan: The network.
        oddities: What is unusual about it.
        title: What stands above; empty for nothing.
        ends_in: What its output is, such as ``logits``.
        remark: What else is to be said of the image; empty for nothing.
    """
    rows, key = find_rows(plan), make_key(plan)
    numbers = _numbers(oddities)
    width = _find_width(plan, rows, key)
    boxes = {index: _stage_box(plan, rows, key, width, index, Spot("stage", index) in numbers) for index in rows.places}
    ground = Ground(plan, rows, key, width, boxes, numbers)
    image, output = _image_box(ground), _output_box(ground, ends_in)
    skips = list(skip_arrows(ground, image))
    notes = list(note_shapes(ground, oddities, HEAD + (rows.count + (not rows.is_u)) * PITCH))
    shapes = (
        *title_labels(ground, title, remark),
        *_trunk_arrows(ground, image, output),
        *skips,
        *(image, output, *boxes.values()),
        *(*_trunk_labels(ground), *skip_labels(ground, skips), *_no_skips(ground)),
        *_discs(ground, skips, output),
        *notes,
    )
    bottom = max(note.at[1] for note in notes if isinstance(note, Label))
    return Sheet(width, bottom + LINE / 2 + MARGIN, shapes)


def _numbers(oddities: Sequence[Oddity]) -> dict[Spot, tuple[int, ...]]:
    numbers: dict[Spot, tuple[int, ...]] = {}
    for number, oddity in enumerate(oddities, start=1):
        for spot in oddity.spots:
            numbers[spot] = (*numbers.get(spot, ()), number)
    return numbers


def _find_width(plan: Plan, rows: Rows, key: Key) -> float:
    """Return a width that leaves room for skips between the boxes of a row, and for the labels between two rows."""
    gaps = [0.0] * (rows.count + 2)
    gaps[1 if rows.is_u else rows.count] += _label_width(", ".join(plan.tail))
    boxes = [0.0] * (rows.count + 1)
    for index, (row, column) in rows.places.items():
        boxes[row] += box_width(box_lines(plan, key, index))
        # The arrow into a stage on the right comes from below.
        gaps[row + (column == "right")] += _label_width(entry_text(plan, index, key))
    return max(SINGLE, max(boxes) + 2 * MARGIN + 0.5, max(gaps) + 2 * (MARGIN + TRUNK))


def _label_width(text: str) -> float:
    return text_width(text, SMALL) + 0.2 if text else 0.0


def _stage_box(plan: Plan, rows: Rows, key: Key, width: float, index: int, odd: bool) -> Box:
    row, column = rows.places[index]
    lines = box_lines(plan, key, index)
    wide = box_width(lines)
    left = {"left": MARGIN, "middle": (width - wide) / 2, "right": width - MARGIN - wide}[column]
    return Box(left, row_top(row), wide, BOX, lines, _TINTS[column], odd)


def _image_box(ground: Ground) -> Box:
    channels, height, width = ground.plan.image
    lines = ("image", f"{channels} x {height} x {width}")
    return Box(MARGIN, row_top(0), box_width(lines), BOX, lines, "#ffffff")


def _output_box(ground: Ground, ends_in: str) -> Box:
    channels, height, width = ground.plan.output
    lines = (f"output: {ends_in}", f"{channels} x {height} x {width}")
    wide = box_width(lines)
    odd = ground.is_odd(Spot("output"))
    if ground.rows.is_u:
        return Box(ground.width - MARGIN - wide, row_top(0), wide, BOX, lines, "#ffffff", odd)
    return Box(MARGIN, row_top(ground.rows.count), wide, BOX, lines, "#ffffff", odd)


def _trunk_arrows(ground: Ground, image: Box, output: Box) -> Iterator[Arrow]:
    """Yield the arrows from the image through all stages to the output."""
    previous = image
    for index in ground.rows.places:
        box = ground.boxes[index]
        yield Arrow(_way(ground, previous, box, ground.column(index)), ground.is_odd(Spot("entry", index)))
        previous = box
    yield Arrow(_way(ground, previous, output, "right" if ground.rows.is_u else "left"))


def _way(ground: Ground, start: Box, end: Box, column: Column) -> tuple[Point, ...]:
    """Return the points from a box to the next one, which stands in a column."""
    if column == "middle":
        x = ground.trunk("left")
        return (x, start.bottom), (x, end.centre[1]), (end.left, end.centre[1])
    x = ground.trunk(column)
    if column == "right" and start.centre[1] > end.centre[1] and start.right < x:
        return (start.right, start.centre[1]), (x, start.centre[1]), (x, end.bottom)
    if column == "right":
        return (x, start.top), (x, end.bottom)
    return (x, start.bottom), (x, end.top)


def _trunk_labels(ground: Ground) -> Iterator[Label]:
    """Yield how maps enter stages where it is unusual, and what makes the output."""
    for index in ground.rows.places:
        if text := entry_text(ground.plan, index, ground.key):
            yield _beside(entry_at(ground, index), ground.column(index), text)
    if ground.plan.tail:
        yield _beside(output_at(ground), "right" if ground.rows.is_u else "left", ", ".join(ground.plan.tail))


def _no_skips(ground: Ground) -> Iterator[Label]:
    """Yield a word in the middle where skips would be."""
    if ground.is_odd(Spot("middle")):
        yield Label((ground.width / 2 + DISC + 0.05, row_top(1) + BOX / 2), "no skips")


def _beside(at: Point, column: Column, text: str) -> Label:
    """Return a text on the inner side of an arrow."""
    if column == "right":
        return Label((at[0] - 0.1, at[1]), text, "right", clear=True)
    return Label((at[0] + 0.1, at[1]), text, "left", clear=True)


def _discs(ground: Ground, skips: Sequence[Arrow], output: Box) -> Iterator[Disc]:
    for spot, numbers in ground.numbers.items():
        x, y = _disc_at(ground, spot, skips, output)
        step = 2.1 * DISC
        # Several numbers stand side by side, the last where a single one would be; beside the right column, the first.
        outside = spot.kind == "entry" and ground.column(spot.index) == "right"
        first = x if outside else x - step * (len(numbers) - 1)
        for place, number in enumerate(numbers):
            yield Disc((first + place * step, y), number)


def _disc_at(ground: Ground, spot: Spot, skips: Sequence[Arrow], output: Box) -> Point:
    if spot.kind == "skip":
        (x0, y0), (x1, y1) = longest_piece(skips[spot.index])
        share = min(0.5, 0.2 / math.dist((x0, y0), (x1, y1)))
        return x1 + share * (x0 - x1), y1 + share * (y0 - y1)
    if spot.kind == "stage":
        return ground.boxes[spot.index].right - DISC, ground.boxes[spot.index].top
    if spot.kind == "entry":
        x, y = entry_at(ground, spot.index)
        return (x + 0.13 if ground.column(spot.index) == "right" else x - 0.13), y
    if spot.kind == "output":
        return output.left, output.top
    return ground.width / 2, row_top(1) + BOX / 2
