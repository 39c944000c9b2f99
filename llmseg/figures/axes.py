"""Axes of losses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from llmseg.figures.style import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["linear", "log"]


def format_loss_axes(axes: Iterable[Axes], scale: Scale) -> None:
    """Give panels of losses a grid, ticks at whole epochs and a scale, and mark panels without a finite loss.

    Args:
        axes: The panels, with their lines drawn.
        scale: ``linear`` or ``log``; a logarithmic axis leaves out losses of 0 and below.
    """
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
    # The ticks of a logarithmic axis are powers of ten; an axis from 0.2 to 0.8 has none. Below a factor of 2.5 even 1,
    # 2 and 5 times these are too far apart; above 20 the powers alone are enough.
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
