"""Predicted masks on their images, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.canvas import add_note, make_sheet, styled
from llmseg.figures.contenders import by_cohort, cohort_title, look_up_contenders
from llmseg.figures.overlay import draw_small_overlay
from llmseg.figures.style import AGREEMENT, DOUBLE, LIGHT_INK, SMALL, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches: between tiles, left of a row for its label, below a tile for its Dice score, at the foot for legend and notes.
_GAP, _SIDE, _BELOW, _FOOT = 0.03, 0.24, 0.13, 0.42

_TINY = 5.0
"""Font size in points of what belongs to a single tile: nineteen contenders leave half an inch for each."""

_PER_INCH = 200
"""Pixels of an image per inch; more would only make files larger, as tiles are an inch wide at most."""


@dataclass(frozen=True, eq=False)
class PredictedCase:
    """A case with the mask that a contender predicts of it.

    Attributes:
        contender: Name of the contender.
        dataset: Name of the dataset.
        case: Id of the case.
        seed: Seed of the training.
        image: The image, uint8 ``[H, W]`` or ``[H, W, 3]``.
        truth: The true mask, bool ``[H, W]``.
        predicted: The predicted mask, bool ``[H, W]``.
        dice: Dice score of the predicted mask.
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
def prediction_panels(predicted: Sequence[PredictedCase], *, references: Sequence[str] = ()) -> Figure:
    """Draw the masks of all contenders on the same cases: a row per case, a block of rows per cohort.

    A row begins with the image and the true mask. Below every prediction stands its Dice score. References end every
    block. The colours are those of :func:`llmseg.figures.overlay.draw_overlay`.

    Args:
        predicted: The cases with their masks. Where a contender has none, its place is marked.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There are no masks.

    Example:
        >>> mask = np.eye(8, dtype=bool)
        >>> image = np.full((8, 8), 90, np.uint8)
        >>> figure = prediction_panels([PredictedCase("gpt-4o", "Skin", "case-1", 0, image, mask, mask, 1.0)])
        >>> [text.get_text() for text in figure.axes[0].texts][1:4]
        ['Image', 'Truth', 'GPT-4o']
    """
    _check_any(predicted)
    by_case = {(tile.dataset, tile.case, tile.contender): tile for tile in predicted}
    contenders = look_up_contenders(dict.fromkeys(tile.contender for tile in predicted), references)
    rows = list(dict.fromkeys((tile.dataset, tile.case) for tile in predicted))
    blocks = by_cohort(contenders)
    # Tiles of the longest row, with image and truth, fill the width of two columns of a journal.
    columns = 2 + max(map(len, blocks.values()))
    size = min(1.0, (DOUBLE - _SIDE - _GAP) / columns - _GAP)
    # A block has its title, the heads of the columns, and its rows.
    title_height, heads_height = 0.2, 0.34
    height = title_height + heads_height + len(rows) * (size + _BELOW)
    figure, axes = make_sheet(DOUBLE, len(blocks) * height + _FOOT)
    for index, (cohort, names) in enumerate(blocks.items()):
        top = index * height
        title = cohort_title(cohort) if len(blocks) > 1 or cohort else ""
        axes.text(_SIDE, top + 0.04, title, va="top", fontsize=TEXT, fontweight="bold")
        _heads(axes, top + title_height + 0.32, size, ["Image", "Truth", *(contenders[name].label for name in names)])
        for row, (dataset, case) in enumerate(rows):
            y = top + 0.54 + row * (size + _BELOW)
            axes.text(0.08, y + size / 2, _shorten(dataset, size, SMALL), rotation=90, va="center", fontsize=SMALL)
            _row(axes, y, size, [by_case.get((dataset, case, name)) for name in names])
    _foot(axes, figure)
    cases = "; ".join(f"{dataset} {case}" for dataset, case in rows)
    seeds = ", ".join(sorted({str(tile.seed) for tile in predicted}))
    add_note(figure, f"Number: Dice. Cases: {textwrap.shorten(cases, 150, placeholder=' ...')}. Seed {seeds}.")
    return figure


@styled
def worst_cases(predicted: Sequence[PredictedCase], *, references: Sequence[str] = (), count: str = "") -> Figure:
    """Draw a gallery with a tile per mask, the smallest Dice score first.

    Args:
        predicted: Cases with their masks, such as the worst case of every contender.
        references: As for :func:`prediction_panels`.
        count: A sentence that says out of how many cases these are the worst.

    Raises:
        UserError: There are no masks.

    Example:
        >>> mask = np.eye(8, dtype=bool)
        >>> image = np.full((8, 8), 90, np.uint8)
        >>> figure = worst_cases([PredictedCase("gpt-4o", "Skin", "case-1", 0, image, mask, ~mask, 0.0)])
        >>> [text.get_text() for text in figure.axes[0].texts][:2]
        ['GPT-4o', '0.000  Skin case-1']
    """
    _check_any(predicted)
    ordered = sorted(predicted, key=lambda tile: (tile.dice, tile.contender, tile.case))
    contenders = look_up_contenders(dict.fromkeys(tile.contender for tile in predicted), references)
    columns = min(6, len(ordered))
    size = min(1.5, (DOUBLE - _GAP) / columns - 2 * _GAP)
    height = size + 0.36  # two lines of text below a tile
    figure, axes = make_sheet(DOUBLE, -(-len(ordered) // columns) * height + _FOOT + 0.05)
    for index, tile in enumerate(ordered):
        x = _GAP + index % columns * (size + 2 * _GAP)
        y = 0.05 + index // columns * height
        _show(axes, x, y, size, tile)
        label, details = contenders[tile.contender].label, f"{tile.dice:.3f}  {tile.dataset} {tile.case}"
        axes.text(x, y + size + 0.03, _shorten(label, size, SMALL), va="top", fontsize=SMALL)
        axes.text(x, y + size + 0.15, _shorten(details, size, _TINY), va="top", fontsize=_TINY)
    _foot(axes, figure)
    add_note(figure, "Each contender's case and seed with its smallest Dice score, the number.", count)
    return figure


def _check_any(predicted: Sequence[PredictedCase]) -> None:
    if not predicted:
        raise UserError("there are no predictions to draw; choose cases that the runs were scored on")


def _heads(axes: Axes, bottom: float, size: float, labels: Sequence[str]) -> None:
    for column, label in enumerate(labels):
        x = _SIDE + column * (size + _GAP) + size / 2
        # Heads are short and often capitals, which are wider than letters of a sentence.
        text = textwrap.fill(label, max(8, int(size * 72 / (0.64 * _TINY))))
        axes.text(x, bottom, text, ha="center", va="bottom", fontsize=_TINY, linespacing=1.05)


def _row(axes: Axes, y: float, size: float, masks: Sequence[PredictedCase | None]) -> None:
    case = next((mask for mask in masks if mask is not None), None)
    if case is None:
        return
    # The image is an overlay of two empty masks, the truth an overlay of the true mask on itself.
    empty = np.zeros_like(case.truth)
    image, truth = replace(case, truth=empty, predicted=empty), replace(case, predicted=case.truth)
    for column, tile in enumerate([image, truth, *masks]):
        x = _SIDE + column * (size + _GAP)
        if tile is None:
            axes.text(x + size / 2, y + size / 2, "none", ha="center", va="center", fontsize=_TINY)
            continue
        _show(axes, x, y, size, tile)
        if column > 1:
            axes.text(x + size / 2, y + size + 0.015, f"{tile.dice:.3f}", ha="center", va="top", fontsize=_TINY)


def _show(axes: Axes, x: float, y: float, size: float, tile: PredictedCase) -> None:
    """Put a case into the middle of a square; nothing is stretched."""
    pixels = draw_small_overlay(tile.image, tile.truth, tile.predicted, size * _PER_INCH)
    height, width = (size * side / max(pixels.shape[:2]) for side in pixels.shape[:2])
    left, top = x + (size - width) / 2, y + (size - height) / 2
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(pixels, extent=(left, left + width, top + height, top), aspect="auto")
    # imshow moves the limits of the axes to the image.
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])


def _shorten(text: str, inches: float, points: float) -> str:
    """Return as much of a text as fits into a width; letters are 0.56 of the font size wide, on average."""
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
