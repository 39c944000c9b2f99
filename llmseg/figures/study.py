"""Differences and contributions as points with their confidence intervals."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from llmseg.figures.canvas import FORMATS
from llmseg.figures.style import BLUE, GREY, SETTINGS
from llmseg.files import clear_leftovers, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALONE = "(each interval is of its difference alone; verdicts are corrected for all pairs)"


def draw_differences(differences: pd.DataFrame, path: str | Path, *, measure: str = "Dice", base: str = "base") -> Path:
    """Draw the difference of every variant from the base as a point with its confidence interval.

    Args:
        differences: As :meth:`llmseg.study.Study.differences` returns it.
        path: The file; its extension decides the format, such as ``.pdf`` or ``.png``.
        measure: Name of the measure, for the axis.
        base: Name of the base, for the axis.

    Returns:
        The file.

    Raises:
        UserError: The disk is full or refuses the file.

    Example:
        >>> draw_differences(study.differences(), "differences.pdf", base="gpt-4o")  # doctest: +SKIP
        PosixPath('differences.pdf')
    """
    level = f"{100 * differences['level'].iloc[0]:g} %"
    title = f"difference in {measure} from {base}, with {level} interval\n{_ALONE}"
    return _draw_points(list(differences["variant"]), differences, title, Path(path))


def draw_contributions(
    contributions: pd.DataFrame, path: str | Path, *, left: str, right: str, measure: str = "Dice"
) -> Path:
    """Draw what each part contributes to a gap as a point with its confidence interval.

    Args:
        contributions: As :func:`llmseg.stats.contributions` returns it.
        path: The file; its extension decides the format, such as ``.pdf`` or ``.png``.
        left: Name of the recipe from which all parts come in the end, for the axis.
        right: Name of the recipe whose parts are exchanged.
        measure: Name of the measure, for the axis.

    Returns:
        The file.

    Raises:
        UserError: The disk is full or refuses the file.

    Example:
        >>> draw_contributions(gap.contributions(), "gap.pdf", left="gpt-o3", right="gpt-4")  # doctest: +SKIP
        PosixPath('gap.pdf')
    """
    level = f"{100 * contributions['level'].iloc[0]:g} %"
    title = f"{measure} of {left} above {right}, by part, with {level} interval"
    return _draw_points(list(contributions["part"]), contributions, title, Path(path))


def _draw_points(names: list[str], intervals: pd.DataFrame, title: str, path: Path) -> Path:
    """Draw a row per name: ``difference`` as a point, ``low`` to ``high`` as a line."""
    import matplotlib

    content = io.BytesIO()
    suffix = path.suffix.lower() or ".png"
    # Without a time and, in SVG, without random ids, so that the same differences give the same bytes.
    with matplotlib.rc_context({name: SETTINGS[name] for name in ("svg.hashsalt", "text.parse_math")}):
        figure = _make_points(names, intervals, title)
        figure.savefig(content, format=suffix[1:], dpi=200, metadata=FORMATS.get(suffix))
    clear_leftovers(path.parent, path.name)
    write_bytes(path, content.getvalue())
    return path


def _make_points(names: list[str], intervals: pd.DataFrame, title: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = intervals.iloc[::-1]  # matplotlib counts rows from the bottom
    figure = Figure(figsize=(6.3, 1.1 + 0.3 * len(rows) + 0.12 * title.count("\n")), layout="constrained")
    axes = figure.subplots()
    heights = range(len(rows))
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.hlines(heights, rows["low"], rows["high"], color=BLUE, linewidth=1.5)
    axes.plot(rows["difference"], heights, "o", color=BLUE, markersize=5)
    axes.set_yticks(heights, names[::-1])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(title, fontsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter("{x:+.3g}")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(labelsize=8)
    return figure
