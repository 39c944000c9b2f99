"""The shapes of a drawing, in inches from its upper left corner, and painting them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from llmseg.figures.style import LIGHT_INK, SMALL, TEXT, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
Alignment = Literal["left", "center", "right"]

DISC = 0.062
"""Radius of the disc of a number."""


@dataclass(frozen=True)
class Box:
    """A box with lines of text; the first is bold.

    Attributes:
        left: Its left edge.
        top: Its upper edge.
        width: Its width.
        height: Its height.
        lines: The lines.
        tint: Colour, which is thinned.
        odd: Whether something unusual is seen here.
    """

    left: float
    top: float
    width: float
    height: float
    lines: tuple[str, ...]
    tint: str
    odd: bool = False

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    @property
    def centre(self) -> Point:
        """Its centre."""
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True)
class Arrow:
    """A line through points with a head at its end.

    Attributes:
        points: The points.
        odd: Whether something unusual is seen here.
        dot: Whether it begins with a dot, as where it leaves another line.
    """

    points: tuple[Point, ...]
    odd: bool = False
    dot: bool = False


@dataclass(frozen=True)
class Label:
    """A line of text.

    Attributes:
        at: Where its vertical middle is, at its left or right end or at its centre.
        text: The text.
        align: Which of the three.
        bold: Whether it is bold.
        size: Size of its letters, in points.
        clear: Whether what is below it is covered.
    """

    at: Point
    text: str
    align: Alignment = "left"
    bold: bool = False
    size: float = SMALL
    clear: bool = False


@dataclass(frozen=True)
class Disc:
    """A number in a black disc.

    Attributes:
        at: Its centre.
        number: The number.
    """

    at: Point
    number: int


Shape = Box | Arrow | Label | Disc


@cache
def text_width(text: str, size: float = TEXT, bold: bool = False) -> float:
    """Return how many inches wide a text is.

    Example:
        >>> 0.1 < text_width("64 x 64") < 0.6
        True
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    weight = "bold" if bold else "normal"
    font = FontProperties(family="DejaVu Sans", weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) * size / font.get_size_in_points() / 72


def paint(axes: Axes, shape: Shape) -> None:
    """Paint a shape on axes that measure inches."""
    if isinstance(shape, Box):
        _paint_box(axes, shape)
    elif isinstance(shape, Arrow):
        _paint_arrow(axes, shape)
    elif isinstance(shape, Label):
        _paint_label(axes, shape)
    else:
        _paint_disc(axes, shape)


def _paint_box(axes: Axes, box: Box) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (box.left, box.top),
            box.width,
            box.height,
            facecolor=to_rgba(box.tint, 0.22),
            edgecolor=VERMILION if box.odd else LIGHT_INK,
            linewidth=1.6 if box.odd else 0.6,
        )
    )
    x, y = box.centre
    step = 0.115
    for number, line in enumerate(box.lines):
        height = y + (number - (len(box.lines) - 1) / 2) * step
        _paint_label(axes, Label((x, height), line, "center", bold=number == 0, size=SMALL if number else TEXT))


def _paint_arrow(axes: Axes, arrow: Arrow) -> None:
    style: dict[str, Any] = (
        {"color": VERMILION, "linewidth": 1.5} if arrow.odd else {"color": LIGHT_INK, "linewidth": 0.7}
    )
    *line, before, end = arrow.points
    if line:
        axes.plot(*zip(*line, before, strict=True), solid_capstyle="butt", **style)
    axes.annotate(
        "", end, before, arrowprops={"arrowstyle": "-|>", "mutation_scale": 6, "shrinkA": 0, "shrinkB": 0, **style}
    )
    if arrow.dot:
        axes.plot(*arrow.points[0], "o", markersize=3, color=style["color"], markeredgewidth=0)


def _paint_label(axes: Axes, label: Label) -> None:
    axes.text(
        *label.at,
        label.text,
        ha=label.align,
        va="center_baseline",
        fontsize=label.size,
        fontweight="bold" if label.bold else "normal",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8} if label.clear else None,
    )


def _paint_disc(axes: Axes, disc: Disc) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle(disc.at, DISC, facecolor=LIGHT_INK, edgecolor="white", linewidth=0.6, zorder=4))
    axes.text(
        *disc.at, str(disc.number), ha="center", va="center", fontsize=5.5, color="white", fontweight="bold", zorder=5
    )
