"""Axes of losses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from llmseg.figures.style import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["linear", "log"]


def scaled(axes: Iterable[Axes], scale: Scale) -> None:
    """Give panels of losses over epochs a grid, whole epochs and a scale, and mark those without a number."""
    from matplotlib.ticker import MaxNLocator

    for panel in axes:
        panel.grid(True)
        panel.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        panel.margins(x=0.02)
        _mark_empty(panel)
        if scale == "log":
            _logarithmic(panel)


def _logarithmic(axes: Axes) -> None:
    """Use a logarithmic axis whose labels are plain numbers, several even where it spans less than a decade."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    axes.set_yscale("log", nonpositive="mask")
    low, high = axes.get_ylim()
    if high < 2.5 * low:
        axes.yaxis.set_major_locator(MaxNLocator(4))
    elif high < 20 * low:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:.3g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_empty(axes: Axes) -> None:
    """Say so where no loss is a number."""
    lines = axes.get_lines()
    if not any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in lines):
        axes.text(0.5, 0.5, "no loss is a number", transform=axes.transAxes, ha="center", fontsize=SMALL)
        axes.set_yticks([])
