"""What all parts of a drawing share: sizes, the boxes of the stages, and where the arrows between them are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmseg.figures.network.labels import Key, size_line, stage_text
from llmseg.figures.network.oddities import Spot
from llmseg.figures.network.rows import Column, Rows
from llmseg.figures.network.shapes import Box, Point, text_width
from llmseg.figures.network.stages import Plan
from llmseg.figures.style import SMALL, TEXT

MARGIN, HEAD, PITCH, BOX, LINE = 0.1, 0.42, 0.54, 0.3, 0.12
"""In inches: the margin, the title, from row to row, height of a box, and from line to line of text."""

INDENT = 0.28
"""From the margin to the sentences below a drawing, in inches."""

TRUNK = 0.32
"""From the outer edge of a column to the arrows between its boxes, in inches."""


@dataclass(frozen=True)
class Ground:
    """What all parts of a drawing need to know.

    Attributes:
        plan: The network.
        rows: In which rows and columns its stages stand.
        key: What the signs stand for.
        width: Width of the drawing.
        boxes: The boxes of the stages, by their index.
        numbers: The numbers of what is unusual, by where it is seen.
    """

    plan: Plan
    rows: Rows
    key: Key
    width: float
    boxes: Mapping[int, Box]
    numbers: Mapping[Spot, tuple[int, ...]]

    def is_odd(self, spot: Spot) -> bool:
        """Whether something unusual is seen at a place."""
        return spot in self.numbers

    def column(self, index: int) -> Column:
        """Return the column of a stage; the image, which may stand for the first one, is on the left."""
        return self.rows.places[index][1] if index in self.rows.places else "left"

    def trunk(self, column: Column) -> float:
        """Return where the arrows between the boxes of a column are."""
        return self.width - MARGIN - TRUNK if column == "right" else MARGIN + TRUNK


def box_lines(plan: Plan, key: Key, index: int) -> tuple[str, ...]:
    """Return what stands in the box of a stage."""
    stage = plan.stages[index]
    return stage_text(stage, key), size_line(stage)


def box_width(lines: Sequence[str]) -> float:
    """Return the width of a box with some lines, of which the first is bold."""
    first, *others = lines
    return max(0.55, text_width(first, TEXT, bold=True), *(text_width(line, SMALL) for line in others)) + 0.1


def row_top(row: int) -> float:
    """Return the upper edge of the boxes of a row."""
    return HEAD + row * PITCH


def entry_at(ground: Ground, index: int) -> Point:
    """Return the middle of the arrow into a stage, beside which its label stands."""
    row, column = ground.rows.places[index]
    if column == "right":
        return ground.trunk("right"), row_top(row) + BOX + (PITCH - BOX) / 2
    return ground.trunk("left"), row_top(row) - (PITCH - BOX) / 2


def output_at(ground: Ground) -> Point:
    """Return the middle of the arrow into the output."""
    if ground.rows.is_u:
        return ground.trunk("right"), row_top(0) + BOX + (PITCH - BOX) / 2
    return ground.trunk("left"), row_top(ground.rows.count) - (PITCH - BOX) / 2
