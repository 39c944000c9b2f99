"""Published Dice and ranks beside those of results."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from llmseg.figures.canvas import add_note, join_remarks, make_figure, styled
from llmseg.figures.contenders import Contender, add_cohort_legend, look_up_contenders
from llmseg.figures.style import DOUBLE, FAINT, GREY, LIGHT_INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llmseg.study.published.comparison import DatasetComparison, PublishedComparison

_SHIFT = 0.17
"""How far, in rows, the marks of what was published stand above the row, and ours below it."""


@styled
def published_ranks(comparison: PublishedComparison) -> Figure:
    """Draw published ranks and Dice beside ours, two panels per dataset, a row per pipeline in the order of our ranks.

    Args:
        comparison: As :func:`llmseg.study.compare_with_published` returns it.

    Example:
        >>> import pandas as pd
        >>> from llmseg.stats import Table
        >>> from llmseg.study import Results, compare_with_published
        >>> rows = pd.DataFrame({"pipeline": ["gpt-4o", "gpt-o3"], "value": [0.8, 0.9], "dataset": "scans"})
        >>> rest = {"case": "1", "group": "1", "variant": "base", "seed": 0, "phase": "test", "measure": "dice"}
        >>> results = Results(Table.from_frame(rows, fill=rest), ())
        >>> figure = published_ranks(compare_with_published(results, prepared_as={"scans": "bagls"}))
        >>> [axes.get_xlabel() for axes in figure.axes]
        ['Rank', 'Dice score']
    """
    heights = [0.155 * len(part.frame) + 0.55 for part in comparison.datasets]
    figure = make_figure(DOUBLE, sum(heights) + 0.95)
    panels = figure.subplots(len(heights), 2, squeeze=False, height_ratios=heights, width_ratios=[1, 1.25])
    contenders = look_up_contenders(
        dict.fromkeys(name for part in comparison.datasets for name in part.frame["pipeline"])
    )
    for (ranks, scores), part in zip(panels, comparison.datasets, strict=True):
        _draw_ranks(ranks, part, contenders)
        _draw_scores(scores, part, contenders)
    add_cohort_legend(figure, contenders.values())
    add_note(figure, *_note(comparison))
    return figure


def _draw_ranks(axes: Axes, part: DatasetComparison, contenders: dict[str, Contender]) -> None:
    rows = part.frame
    count = len(rows)
    for row, (name, then, now) in enumerate(zip(rows["pipeline"], rows["published_rank"], rows["rank"], strict=True)):
        colour = contenders[name].colour
        axes.hlines(row + _SHIFT, rows["rank_low"].iloc[row], rows["rank_high"].iloc[row], color=colour, linewidth=0.8)
        if not math.isnan(then):
            axes.plot([then, now], [row - _SHIFT, row + _SHIFT], color=colour, linewidth=0.5, alpha=0.5)
            _mark(axes, then, row - _SHIFT, colour, filled=False)
        _mark(axes, now, row + _SHIFT, colour, filled=True)
    axes.set_yticks(range(count), [contenders[name].label for name in rows["pipeline"]])
    axes.set_xlim(0.3, count + 0.7)
    axes.set_xticks(range(1, count + 1, 1 if count <= 10 else 2))
    axes.set_xlabel("Rank")
    _finish(axes, count)
    title = part.dataset if part.dataset == part.published_as else f"{part.dataset} ({part.published_as} in the study)"
    axes.set_title(title, loc="left")


def _draw_scores(axes: Axes, part: DatasetComparison, contenders: dict[str, Contender]) -> None:
    for row, values in enumerate(part.frame.to_dict("records")):
        colour = contenders[values["pipeline"]].colour
        axes.hlines(row - _SHIFT, values["published_q1"], values["published_q3"], color=GREY, linewidth=0.8)
        _mark(axes, values["published_median"], row - _SHIFT, colour, filled=False)
        axes.plot(values["published_mean"], row - _SHIFT, "x", color=LIGHT_INK, markersize=3, markeredgewidth=0.7)
        axes.hlines(row + _SHIFT, values["low"], values["high"], color=colour, linewidth=0.8)
        _mark(axes, values["mean"], row + _SHIFT, colour, filled=True)
    axes.set_yticks(range(len(part.frame)), [])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("Dice score")
    _finish(axes, len(part.frame))
    if part.kendall is not None and not math.isnan(part.kendall.value):
        found = part.kendall
        text = f"Kendall's tau of the ranks {found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
        axes.set_title(text, loc="right", fontsize=SMALL, fontweight="normal")


def _mark(axes: Axes, x: float, y: float, colour: str, *, filled: bool) -> None:
    face = colour if filled else "white"
    axes.plot(x, y, "o", markersize=3.4, markerfacecolor=face, markeredgecolor=colour, markeredgewidth=0.8)


def _finish(axes: Axes, count: int) -> None:
    axes.set_ylim(count - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    # A line between the rows, so that the two marks of one pipeline are seen as a pair.
    axes.hlines(np.arange(count - 1) + 0.5, *axes.get_xlim(), color=FAINT, linewidth=0.3)
    axes.spines[:].set_color(LIGHT_INK)


def _note(comparison: PublishedComparison) -> list[str]:
    marks = "Hollow, upper: published (rank of the median; median with quartiles, read off box plots; cross: mean)."
    ours = "Filled, lower: ours (rank of the mean, 95 % of ranks on resampled cases and seeds; mean, 95 % interval)."
    return [marks, ours, join_remarks(comparison.limits)]
