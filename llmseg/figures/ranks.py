"""Rankings, how stable they are on resampled cases, and who is better than whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import shorten_list
from llmseg.figures.canvas import add_note, join_remarks, make_figure, styled
from llmseg.figures.contenders import Contender, add_cohort_legend, look_up_contenders
from llmseg.figures.scores import measure_text
from llmseg.figures.style import BLUE, DOUBLE, FAINT, GREEN, GREY, LIGHT_INK, ORANGE, SINGLE, SMALL
from llmseg.stats.blocks import make_blocks
from llmseg.stats.rank_tests import Friedman
from llmseg.stats.ranking import Ranking, significance_map
from llmseg.stats.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def critical_difference(test: Friedman, *, references: Sequence[str] = ()) -> Figure:
    """Draw mean ranks on a line, and bars that join contenders closer than the critical difference.

    Args:
        test: As :func:`llmseg.stats.friedman` returns it.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There is no such reference.

    Example:
        >>> from llmseg.stats import friedman, simulate
        >>> figure = critical_difference(friedman(simulate(pipelines=4, datasets=5)))
        >>> figure.get_supxlabel().split(".")[0]
        'TOO FEW DATASETS FOR AN EXACT TEST OF ANY PAIR'
    """
    contenders = look_up_contenders(test.contenders, references)
    order = np.argsort(test.ranks, kind="stable")
    ranks, names = test.ranks[order], [test.contenders[index] for index in order]
    bars = find_cliques(ranks, test.critical_difference)
    # Heights count lines of text downwards from the axis of ranks. Below the bars are the labels: the better half of
    # the contenders on the left, the others on the right.
    count = len(names)
    half, top = -(-count // 2), 1.0 + 0.75 * len(bars)
    figure = make_figure(DOUBLE, 0.165 * (half + top) + 1.15)
    axes = figure.subplots()
    wing = 0.36 * max(count - 1, 1)  # room for the labels on either side of the ranks
    axes.set_xlim(1 - wing, count + wing)
    axes.set_ylim(top + half, -2.6)
    axes.set_axis_off()
    axes.hlines(0, 1, count, color=LIGHT_INK, linewidth=0.8)
    for tick in range(1, count + 1):
        axes.vlines(tick, -0.3, 0, color=LIGHT_INK, linewidth=0.8)
        axes.text(tick, -0.45, str(tick), ha="center", va="bottom", fontsize=SMALL)
    _draw_scale(axes, test, count)
    for level, (first, last) in enumerate(bars):
        axes.hlines(0.7 + 0.75 * level, ranks[first] - 0.06, ranks[last] + 0.06, color=GREY, linewidth=2.2)
    for index, (name, mean_rank) in enumerate(zip(names, ranks, strict=True)):
        is_left = index < half
        row = top + (index if is_left else count - 1 - index)
        _draw_label(axes, contenders[name], mean_rank, row, count, is_left=is_left)
    add_cohort_legend(figure, contenders.values())
    warning = "" if test.decidable else "TOO FEW DATASETS FOR AN EXACT TEST OF ANY PAIR."
    datasets = f"Mean rank in {measure_text(test.measure)} over {len(test.datasets)} datasets, 1 is best."
    nemenyi = f"Bars join contenders closer than the critical difference (Nemenyi, level {test.alpha:g})."
    add_note(figure, warning, datasets, nemenyi, join_remarks(test.remarks))
    return figure


def _draw_label(axes: Axes, contender: Contender, mean_rank: float, row: float, count: int, *, is_left: bool) -> None:
    """Write a contender beside the ranks, with a line from its mean rank to its label."""
    side = 1 - 0.02 * count if is_left else count + 0.02 * count
    axes.plot([mean_rank, mean_rank, side], [0, row, row], color=contender.colour, linewidth=0.7)
    text = f"{contender.label}  {mean_rank:.2f}" if is_left else f"{mean_rank:.2f}  {contender.label}"
    edge = side - 0.01 * count if is_left else side + 0.01 * count
    axes.text(edge, row, text, ha="right" if is_left else "left", va="center", fontsize=SMALL)


def find_cliques(ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """Return the cliques among ranks: groups that are closer than a difference and are in no larger such group.

    Args:
        ranks: Ranks, ascending, float ``[P]``.
        difference: The difference.

    Returns:
        Index of the first and the last rank of every clique.

    Example:
        >>> find_cliques(np.array([1.0, 1.5, 2.4, 4.0]), 1.0)
        [(0, 1), (1, 2)]
    """
    last = [int(np.searchsorted(ranks, rank + difference, side="left")) - 1 for rank in ranks]
    groups = [(first, end) for first, end in enumerate(last) if end > first]
    return [(first, end) for first, end in groups if first == 0 or last[first - 1] < end]


def _draw_scale(axes: Axes, test: Friedman, count: int) -> None:
    """Draw the critical difference as a line with ends, above the axis of ranks."""
    end = 1 + test.critical_difference
    axes.plot([1, 1, 1, end, end, end], [-1.9, -1.5, -1.7, -1.7, -1.5, -1.9], color=LIGHT_INK, linewidth=0.8)
    wider = ", more than all ranks" if end > count else ""
    text = f"critical difference {test.critical_difference:.2f}{wider}"
    axes.text(1, -2.05, text, ha="left", va="bottom", fontsize=SMALL)


@styled
def stability(ranking: Ranking, *, references: Sequence[str] = ()) -> Figure:
    """Draw how often each contender takes each rank on resampled cases: the area of a disc is the share.

    Args:
        ranking: As :func:`llmseg.stats.rank` returns it.
        references: As for :func:`critical_difference`.

    Raises:
        UserError: There is no such reference.

    Example:
        >>> from llmseg.stats import rank, simulate
        >>> figure = stability(rank(simulate(pipelines=3), resamples=50))
        >>> figure.axes[0].get_xlabel()
        'Rank in Dice score, mean-then-rank'
    """
    names = ranking.frame["contender"].tolist()
    contenders, count = look_up_contenders(names, references), len(names)
    figure = make_figure(SINGLE, 1.45 + 0.15 * count)
    axes = figure.subplots()
    shares = np.stack([(ranking.resampled == place).mean(axis=0) for place in range(1, count + 1)], axis=1)
    rows, columns = np.nonzero(shares)
    colours = [contenders[names[row]].colour for row in rows]
    # A share of 1 has a disc of 90 square points, which just fits into a row.
    axes.scatter(columns + 1, rows, s=90 * shares[rows, columns], c=colours, alpha=0.6, linewidths=0)
    axes.hlines(range(count), ranking.frame["low"], ranking.frame["high"], color=LIGHT_INK, linewidth=0.7)
    axes.plot(ranking.frame["rank"], range(count), "|", color=LIGHT_INK, markersize=6, markeredgewidth=1.4)
    axes.set_yticks(range(count), [contenders[name].label for name in names])
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xlim(0.4, count + 0.6)
    axes.set_xticks(range(1, count + 1, 1 if count <= 12 else 2))
    axes.tick_params(axis="y", length=0)
    axes.grid(True)
    axes.set_xlabel(f"Rank in {measure_text(ranking.measure)}, {ranking.rule}")
    add_cohort_legend(figure, contenders.values())
    resamples = f"{len(ranking.resampled)} resamples of {ranking.units} groups."
    tau = f"Kendall's tau between rankings of two resamples: {ranking.pairwise_tau:.2f}."
    disc = "Disc: share of resamples with that rank; line: 95 % of ranks; tick: observed rank, equal where tied."
    datasets = f"Datasets: {shorten_list(ranking.datasets)}."
    add_note(figure, disc, resamples, tau, datasets, join_remarks(ranking.remarks))
    return figure


_CELL_LOOKS: dict[str, tuple[str, str, str]] = {
    "better": (BLUE, "white", "+"),
    "worse": (ORANGE, LIGHT_INK, "\N{MINUS SIGN}"),
    "equivalent": (GREEN, "white", "="),
    "undecided": (FAINT, LIGHT_INK, ""),
}
"""Colour of the cell, colour of its sign, and the sign, by decision; signs help where colours do not."""


@styled
def significance(
    table: Table, *, measure: str = "dice", phase: str = "test", alpha: float = 0.05, references: Sequence[str] = ()
) -> Figure:
    """Draw who is better than whom, a cell per pair: the row against the column.

    Args:
        table: The scores; see :func:`llmseg.stats.significance_map`.
        measure: Which measure.
        phase: Which phase.
        alpha: Accepted chance of a false claim, over all pairs.
        references: As for :func:`critical_difference`.

    Raises:
        UserError: There are fewer than two contenders, a cell is missing, or there is no such reference.

    Example:
        >>> from llmseg.stats import simulate
        >>> figure = significance(simulate(pipelines=[0.0, 0.1]))
        >>> figure.axes[0].texts[0].get_text()  # the first row is the better one, against the second column
        '+'
    """
    square = significance_map(table, measure=measure, phase=phase, alpha=alpha)
    names = [str(name) for name in square.index]
    contenders, count = look_up_contenders(names, references), len(names)
    side = 1.5 + 0.16 * count
    figure = make_figure(max(SINGLE, side), side + 0.65)
    axes = figure.subplots()
    for row, column in np.ndindex(count, count):
        if row != column:
            _cell(axes, row, column, str(square.iloc[row, column]))
    labels = [contenders[name].label for name in names]
    axes.set_yticks(range(count), labels)
    axes.set_xticks(range(count), labels, rotation=90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    _decision_legend(axes, set(square.to_numpy().ravel()))
    groups = ", ".join(f"{block.dataset} {len(block.sizes)}" for block in make_blocks(table, measure, phase=phase))
    groups = f"Independent groups of cases: {groups}."
    pairs = f"Holm over {count * (count - 1) // 2} pairs, level {alpha:g}; by mean, best first."
    add_note(figure, f"Row against column in {measure_text(measure)}, {pairs}", groups, join_remarks(table.remarks))
    return figure


def _cell(axes: Axes, row: int, column: int, decision: str) -> None:
    from matplotlib.patches import Rectangle

    colour, ink, mark = _CELL_LOOKS[decision]
    axes.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, color=colour, linewidth=0))
    axes.text(column, row, mark, ha="center", va="center", fontsize=SMALL, color=ink, fontweight="bold")


def _decision_legend(axes: Axes, decisions: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=colour, label=f"{decision} {mark}".strip())
        for decision, (colour, _, mark) in _CELL_LOOKS.items()
        if decision in decisions
    ]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=4, fontsize=SMALL)
