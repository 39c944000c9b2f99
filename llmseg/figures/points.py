"""Figures of comparisons."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from llmseg.files import write_bytes

BLUE, GREY = "#0072b2", "#666666"
"""From the palette of Okabe and Ito, which all can tell apart."""


def draw_differences(differences: pd.DataFrame, path: str | Path, *, measure: str = "Dice", base: str = "base") -> Path:
    """Draw the difference of every variant from the base as a point with its interval.

    Args:
        differences: As :meth:`llmseg.study.Study.differences` returns it.
        path: The file; its extension decides the format, such as ``.pdf`` or ``.png``.
        measure: What the axis calls the measure.
        base: What the title calls the base.

    Returns:
        The file.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    level = f"{100 * differences['level'].iloc[0]:g} %"
    title = f"difference in {measure} from {base}, with {level} interval"
    return _draw_points(list(differences["variant"]), differences, title, Path(path))


def draw_contributions(found: pd.DataFrame, path: str | Path, *, left: str, right: str, measure: str = "Dice") -> Path:
    """Draw what each part contributes to a gap as a point with its interval.

    Args:
        found: As :func:`llmseg.stats.shares.contributions` returns it.
        path: The file; its extension decides the format, such as ``.pdf`` or ``.png``.
        left: Whose gap it is.
        right: Over whom.
        measure: What the axis calls the measure.

    Returns:
        The file.

    Raises:
        UserError: The disk is full or refuses the file.
    """
    level = f"{100 * found['level'].iloc[0]:g} %"
    title = f"{measure} of {left} above {right}, by part, with {level} interval"
    return _draw_points(list(found["part"]), found, title, Path(path))


def _draw_points(names: list[str], found: pd.DataFrame, title: str, path: Path) -> Path:
    """Draw a row per name: ``difference`` as a point, ``low`` to ``high`` as a line."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = found.iloc[::-1]
    figure = Figure(figsize=(6.3, 1.1 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows))
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.hlines(places, rows["low"], rows["high"], color=BLUE, linewidth=1.5)
    axes.plot(rows["difference"], places, "o", color=BLUE, markersize=5)
    axes.set_yticks(places, names[::-1])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(title, fontsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter("{x:+.3g}")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(labelsize=8)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix[1:] or "png", dpi=200)
    write_bytes(path, content.getvalue())
    return path
