"""Predicted masks on their images, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.canvas import note, sheet, styled
from llmseg.figures.contenders import by_cohort, cohort_title, contenders
from llmseg.figures.overlay import small_overlay
from llmseg.figures.style import AGREEMENT, DOUBLE, LIGHT_INK, SMALL, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP, _SIDE, _BELOW, _FOOT = 0.03, 0.24, 0.13, 0.42
_TINY = 5.0
_PER_INCH = 200


@dataclass(frozen=True, eq=False)
class Predicted:
    """A contender's mask of a case.

    Attributes:
        contender: Whose.
        dataset: Of which dataset.
        case: Id of the case.
        seed: Seed of the training.
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.
        truth: The true mask, bool ``[H, W]``.
        predicted: The predicted mask, bool ``[H, W]``.
        dice: Its Dice score.
    """

    contender: str
    dataset: str
    case: str
    seed: int
    image: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    dice: float


@styled
def prediction_panels(predicted: Sequence[Predicted], *, references: Sequence[str] = ()) -> Figure:
    """Draw the masks of all contenders on the same cases: a row per case, a block of columns per cohort.

    A row begins with the image and the true mask; below every prediction stands its Dice score. References end every
    block. The colours are those of :func:`llmseg.figures.overlay.overlay`.

    Args:
        predicted: The masks; what a contender lacks stays empty and is marked.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There are none.
    """
    found = {(one.dataset, one.case, one.contender): one for one in _some(predicted)}
    known = contenders({one.contender: 0 for one in predicted}, references)
    rows = list(dict.fromkeys((one.dataset, one.case) for one in predicted))
    blocks = by_cohort(known)
    most = 2 + max(map(len, blocks.values()))
    size = min(1.0, (DOUBLE - _SIDE - _GAP) / most - _GAP)
    block = 0.2 + 0.34 + len(rows) * (size + _BELOW)
    figure, axes = sheet(DOUBLE, len(blocks) * block + _FOOT)
    for number, (cohort, names) in enumerate(blocks.items()):
        top = number * block
        title = cohort_title(cohort) if len(blocks) > 1 or cohort else ""
        axes.text(_SIDE, top + 0.04, title, va="top", fontsize=TEXT, fontweight="bold")
        _heads(axes, top + 0.2 + 0.32, size, ["Image", "Truth", *(known[name].label for name in names)])
        for row, (dataset, case) in enumerate(rows):
            y = top + 0.54 + row * (size + _BELOW)
            axes.text(0.08, y + size / 2, _short(dataset, size, SMALL), rotation=90, va="center", fontsize=SMALL)
            _row(axes, y, size, [found.get((dataset, case, name)) for name in names])
    _foot(axes, figure)
    cases = "; ".join(f"{dataset} {case}" for dataset, case in rows)
    seeds = ", ".join(sorted({str(one.seed) for one in predicted}))
    note(figure, f"Number: Dice. Cases: {textwrap.shorten(cases, 150, placeholder=' ...')}. Seed {seeds}.")
    return figure


@styled
def worst_cases(predicted: Sequence[Predicted], *, references: Sequence[str] = (), count: str = "") -> Figure:
    """Draw a gallery, a tile per mask, smallest Dice score first.

    Args:
        predicted: Such as the worst case of every contender.
        references: As for :func:`prediction_panels`.
        count: Of how many cases these are the worst, in words.

    Raises:
        UserError: There are none.
    """
    ordered = sorted(_some(predicted), key=lambda one: (one.dice, one.contender, one.case))
    known = contenders({one.contender: 0 for one in predicted}, references)
    columns = min(6, len(ordered))
    size = min(1.5, (DOUBLE - _GAP) / columns - 2 * _GAP)
    height = size + 0.36
    figure, axes = sheet(DOUBLE, -(-len(ordered) // columns) * height + _FOOT + 0.05)
    for place, one in enumerate(ordered):
        x = _GAP + place % columns * (size + 2 * _GAP)
        y = 0.05 + place // columns * height
        _tile(axes, x, y, size, _drawn(one, size))
        label, where = known[one.contender].label, f"{one.dice:.3f}  {one.dataset} {one.case}"
        axes.text(x, y + size + 0.03, _short(label, size, SMALL), va="top", fontsize=SMALL)
        axes.text(x, y + size + 0.15, _short(where, size, _TINY), va="top", fontsize=_TINY)
    _foot(axes, figure)
    note(figure, "Each contender's case and seed with its smallest Dice score, the number.", count)
    return figure


def _some(predicted: Sequence[Predicted]) -> Sequence[Predicted]:
    if not predicted:
        raise UserError("there are no predictions to draw; choose cases that the runs were scored on")
    return predicted


def _heads(axes: Axes, bottom: float, size: float, labels: Sequence[str]) -> None:
    for column, label in enumerate(labels):
        x = _SIDE + column * (size + _GAP) + size / 2
        text = textwrap.fill(label, max(8, int(size * 72 / (0.64 * _TINY))))
        axes.text(x, bottom, text, ha="center", va="bottom", fontsize=_TINY, linespacing=1.05)


def _row(axes: Axes, y: float, size: float, masks: Sequence[Predicted | None]) -> None:
    some = next(one for one in masks if one is not None) if any(masks) else None
    if some is None:
        return
    truth = Predicted("", "", "", 0, some.image, some.truth, some.truth, 1.0)
    plain = Predicted("", "", "", 0, some.image, some.truth & False, some.truth & False, 1.0)
    for column, one in enumerate([plain, truth, *masks]):
        x = _SIDE + column * (size + _GAP)
        if one is None:
            axes.text(x + size / 2, y + size / 2, "none", ha="center", va="center", fontsize=_TINY)
            continue
        _tile(axes, x, y, size, _drawn(one, size))
        if column > 1:
            axes.text(x + size / 2, y + size + 0.015, f"{one.dice:.3f}", ha="center", va="top", fontsize=_TINY)


def _drawn(one: Predicted, size: float) -> np.ndarray:
    return small_overlay(one.image, one.truth, one.predicted, size * _PER_INCH)


def _tile(axes: Axes, x: float, y: float, size: float, pixels: np.ndarray) -> None:
    """Put an image into the middle of a square; nothing is stretched."""
    height, width = (size * side / max(pixels.shape[:2]) for side in pixels.shape[:2])
    left, top = x + (size - width) / 2, y + (size - height) / 2
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(pixels, extent=(left, left + width, top + height, top), aspect="auto")
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])


def _short(text: str, inches: float, points: float) -> str:
    most = int(inches * 72 / (0.56 * points))
    return text if len(text) <= most else text[: most - 2] + ".."


def _foot(axes: Axes, figure: Figure) -> None:
    """Say what the colours mean."""
    from matplotlib.patches import Rectangle

    words = {"agreed": "agreed", "missed": "missed (true, not predicted)", "false": "false (predicted, not true)"}
    x, y = _SIDE, figure.get_size_inches()[1] - _FOOT + 0.12
    for name, word in words.items():
        axes.add_patch(Rectangle((x, y - 0.04), 0.14, 0.08, facecolor=AGREEMENT[name], edgecolor=LIGHT_INK, lw=0.3))
        axes.text(x + 0.18, y, word, va="center", fontsize=SMALL)
        x += 0.35 + len(word) * 0.05
