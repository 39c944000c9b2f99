"""The one place for colours, sizes and fonts of figures and of the report."""

from __future__ import annotations

from typing import Any

ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, VERMILION, PURPLE, BLACK = "#0072b2", "#d55e00", "#cc79a7", "#000000"
"""The palette of Okabe and Ito, whose colours readers with any colour vision can tell apart."""

GREY = "#767676"
"""References, such as nnU-Net, and lines that are no data. It has a contrast of 4.5 on white."""

FAINT = "#d0d0d0"
"""Grids and frames."""

COHORTS: dict[int | None, str] = {2024: BLUE, 2025: VERMILION}
"""Colours of the cohorts; references, such as nnU-Net, are grey."""

OTHER = PURPLE
"""Contenders without a cohort that are no references."""

LINES = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, BLACK)
"""Colours of single lines; yellow is too faint on white. Lines beyond the seventh are dashed, then dotted."""

DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)))
"""Patterns of lines, as matplotlib wants them."""

AGREEMENT = {"agreed": SKY, "missed": YELLOW, "false": VERMILION}
"""Colours of pixels by agreement of two masks.

For any three colours, take the smallest difference between two of them, with normal, deuteranopic, protanopic and
tritanopic vision. No three colours of the palette have a larger one; of the triples that share it, this one differs
most from grey images.
"""

LIGHT_INK, DARK_INK = "#1a1a1a", "#f2f2f2"
"""Text on a light and on a dark ground."""

SINGLE, DOUBLE = 3.5, 7.2
"""Widths of a figure in inches: one column and two columns of a journal."""

TEXT, SMALL = 7.0, 6.0
"""Font sizes in points: labels, and what has to be small."""

DPI = 300
"""Dots per inch of raster figures, and of images in vector figures."""

SETTINGS: dict[str, Any] = {
    # matplotlib brings DejaVu Sans with it. An SVG whose text stays text also names the others, which are no wider.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    # Names of contenders and files are no formulas, whatever dollar signs they have.
    "text.parse_math": False,
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "axes.titleweight": "bold",
    "axes.linewidth": 0.6,
    "axes.edgecolor": LIGHT_INK,
    "axes.labelcolor": LIGHT_INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": LIGHT_INK,
    "xtick.color": LIGHT_INK,
    "ytick.color": LIGHT_INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.facecolor": "white",
    # TrueType: the text of a PDF can be searched and edited, and journals refuse the default (Type 3).
    "pdf.fonttype": 42,
    # Text as outlines: an SVG looks the same where the font is not installed.
    "svg.fonttype": "path",
    # matplotlib makes ids at random unless it is given a salt; with it, the same figure gives the same bytes.
    "svg.hashsalt": "llmseg",
}
"""Settings of matplotlib under which every figure is made and written, whatever the user's own are."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the three bytes of a colour.

    Args:
        colour: Such as ``#0072b2``.

    Example:
        >>> rgb(BLUE)
        (0, 114, 178)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
