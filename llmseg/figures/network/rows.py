"""In which rows and columns the stages of a network stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from llmseg.figures.network.stages import Plan, Size

NEARLY = 1.3
"""Sizes that differ by less than this factor are nearly equal, as those of convolutions without padding."""

Column = Literal["left", "middle", "right"]


@dataclass(frozen=True)
class Rows:
    """The rows and columns of a drawing; the first row has the image, and the output unless stages form one column.

    Attributes:
        places: Row and column of every stage that has a box, by its index, in the order of the stages.
        count: Number of rows, with the first.
        is_u: Whether stages stand on two sides of a bottom; otherwise they stand in one column in their order.
    """

    places: dict[int, tuple[int, Column]]
    count: int
    is_u: bool


def find_rows(plan: Plan) -> Rows:
    """Return the places of the stages: in the form of a U where maps become smaller first and then larger.

    In a U, stages with maps of one size stand in one row, as far as their order allows it.
    """
    first = 0 if plan.stages[0].parts or len(plan.stages) == 1 else 1
    if not plan.is_u or plan.bottom == len(plan.stages) - 1 > first:
        places: dict[int, tuple[int, Column]] = {
            index: (row, "left") for row, index in enumerate(range(first, len(plan.stages)), start=1)
        }
        return Rows(places, len(places) + 1, False)
    left = list(range(first, plan.bottom))
    right = list(reversed(range(plan.bottom + 1, len(plan.stages))))
    rows = _align([plan.stages[index].size for index in left], [plan.stages[index].size for index in right])
    places = {plan.bottom: (len(rows) + 1, "middle")}
    for row, (of_left, of_right) in enumerate(rows, start=1):
        if of_left is not None:
            places[left[of_left]] = (row, "left")
        if of_right is not None:
            places[right[of_right]] = (row, "right")
    return Rows(dict(sorted(places.items())), len(rows) + 2, True)


def _align(left: Sequence[Size], right: Sequence[Size]) -> list[tuple[int | None, int | None]]:
    """Put two lists of sizes side by side so that as many as possible that are equal, or nearly so, share a row."""

    @cache
    def best(i: int, j: int) -> tuple[int, tuple[tuple[int | None, int | None], ...]]:
        """Return how good the best rows from here on are, and the rows."""
        if i == len(left) and j == len(right):
            return 0, ()
        choices = []
        if i < len(left) and j < len(right) and (alike := _likeness(left[i], right[j])):
            score, rows = best(i + 1, j + 1)
            choices.append((score + alike, ((i, j), *rows)))
        if i < len(left):
            score, rows = best(i + 1, j)
            choices.append((score - 1, ((i, None), *rows)))
        if j < len(right):
            score, rows = best(i, j + 1)
            choices.append((score - 1, ((None, j), *rows)))
        return max(choices, key=lambda choice: choice[0])

    return list(best(0, 0)[1])


def _likeness(one: Size, other: Size) -> int:
    """Return how well two sizes fit into one row, 0 for not at all."""
    apart = max(max(a, b) / min(a, b) for a, b in zip(one, other, strict=True))
    return 100 if apart == 1 else 50 if apart < NEARLY else 0
