"""Rankings, and how much of them would survive other cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.boxes import MANY
from llmseg.figures.canvas import canvas, note, sentences, styled
from llmseg.figures.contenders import cohort_legend, contenders
from llmseg.figures.scores import measure_text
from llmseg.figures.style import BLUE, DOUBLE, FAINT, GREEN, GREY, LIGHT_INK, ORANGE, SINGLE, SMALL
from llmseg.stats.blocks import make_blocks
from llmseg.stats.columns import sign
from llmseg.stats.rank_tests import Friedman
from llmseg.stats.ranking import Ranking, rank, significance_map
from llmseg.stats.table import Table
from llmseg.stats.words import shorten_list

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def critical_difference(found: Friedman, *, references: Sequence[str] = ()) -> Figure:
    """Draw mean ranks on a line, and a bar under contenders that are closer than the critical difference.

    Args:
        found: As :func:`llmseg.stats.friedman` returns it.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There is no such reference.
    """
    known = contenders(found.contenders, references)
    order = np.argsort(found.ranks, kind="stable")
    ranks, names = found.ranks[order], [found.contenders[place] for place in order]
    bars = cliques(ranks, found.critical_difference)
    half, top = -(-len(names) // 2), 1.0 + 0.75 * len(bars)
    height = 0.165 * (half + top) + 1.15
    figure = canvas(DOUBLE, height)
    axes = figure.subplots()
    number = len(names)
    wing = 0.36 * max(number - 1, 1)
    axes.set_xlim(1 - wing, number + wing)
    axes.set_ylim(top + half, -2.6)
    axes.set_axis_off()
    axes.hlines(0, 1, number, color=LIGHT_INK, linewidth=0.8)
    for tick in range(1, number + 1):
        axes.vlines(tick, -0.3, 0, color=LIGHT_INK, linewidth=0.8)
        axes.text(tick, -0.45, str(tick), ha="center", va="bottom", fontsize=SMALL)
    _critical(axes, found, number)
    for level, (first, last) in enumerate(bars):
        axes.hlines(0.7 + 0.75 * level, ranks[first] - 0.06, ranks[last] + 0.06, color=GREY, linewidth=2.2)
    for place, (name, where) in enumerate(zip(names, ranks, strict=True)):
        left = place < half
        row = top + (place if left else number - 1 - place)
        side = 1 - 0.02 * number if left else number + 0.02 * number
        axes.plot([where, where, side], [0, row, row], color=known[name].colour, linewidth=0.7)
        text = f"{known[name].label}  {where:.2f}" if left else f"{where:.2f}  {known[name].label}"
        where_text = side - 0.01 * number if left else side + 0.01 * number
        axes.text(where_text, row, text, ha="right" if left else "left", va="center", fontsize=SMALL)
    cohort_legend(figure, known.values())
    decided = "" if found.decidable else "TOO FEW DATASETS FOR AN EXACT TEST OF ANY PAIR."
    datasets = f"Mean rank in {measure_text(found.measure)} over {len(found.datasets)} datasets, 1 is best."
    nemenyi = f"Bars join contenders closer than the critical difference (Nemenyi, level {found.alpha:g})."
    note(figure, decided, datasets, nemenyi, sentences(found.remarks))
    return figure


def cliques(ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """Return first and last place of every largest group of ascending ranks that are closer than a difference.

    Example:
        >>> cliques(np.array([1.0, 1.5, 2.4, 4.0]), 1.0)
        [(0, 1), (1, 2)]
    """
    last = [int(np.searchsorted(ranks, rank + difference, side="left")) - 1 for rank in ranks]
    found = [(first, end) for first, end in enumerate(last) if end > first]
    return [(first, end) for first, end in found if first == 0 or last[first - 1] < end]


def _critical(axes: Axes, found: Friedman, number: int) -> None:
    end = 1 + found.critical_difference
    axes.plot([1, 1, 1, end, end, end], [-1.9, -1.5, -1.7, -1.7, -1.5, -1.9], color=LIGHT_INK, linewidth=0.8)
    wider = ", more than all ranks" if end > number else ""
    text = f"critical difference {found.critical_difference:.2f}{wider}"
    axes.text(1, -2.05, text, ha="left", va="bottom", fontsize=SMALL)


@styled
def stability(found: Ranking, *, references: Sequence[str] = ()) -> Figure:
    """Draw how often each contender takes each rank on resampled cases: the area of a disc is the share.

    Args:
        found: As :func:`llmseg.stats.rank` returns it.
        references: As for :func:`critical_difference`.

    Raises:
        UserError: There is no such reference.
    """
    names = found.frame["contender"].tolist()
    known, number = contenders(names, references), len(names)
    figure = canvas(SINGLE, 1.45 + 0.15 * number)
    axes = figure.subplots()
    shares = np.stack([(found.resampled == place).mean(axis=0) for place in range(1, number + 1)], axis=1)
    rows, places = np.nonzero(shares)
    colours = [known[names[row]].colour for row in rows]
    axes.scatter(places + 1, rows, s=90 * shares[rows, places], c=colours, alpha=0.6, linewidths=0)
    axes.hlines(range(number), found.frame["low"], found.frame["high"], color=LIGHT_INK, linewidth=0.7)
    axes.plot(found.frame["rank"], range(number), "|", color=LIGHT_INK, markersize=6, markeredgewidth=1.4)
    axes.set_yticks(range(number), [known[name].label for name in names])
    axes.set_ylim(number - 0.4, -0.6)
    axes.set_xlim(0.4, number + 0.6)
    axes.set_xticks(range(1, number + 1, 1 if number <= 12 else 2))
    axes.tick_params(axis="y", length=0)
    axes.grid(True)
    axes.set_xlabel(f"Rank in {measure_text(found.measure)}, {found.rule}")
    cohort_legend(figure, known.values())
    drawn = f"{len(found.resampled)} resamples of {found.units} groups."
    tau = f"Kendall's tau between rankings of two resamples: {found.pairwise_tau:.2f}."
    disc = "Disc: share of resamples with that rank; line: 95 % of ranks; tick: observed rank, equal where tied."
    note(figure, disc, drawn, tau, f"Datasets: {shorten_list(found.datasets)}.", sentences(found.remarks))
    return figure


VERDICTS = {
    "better": (BLUE, "white", "+"),
    "worse": (ORANGE, LIGHT_INK, "\N{MINUS SIGN}"),
    "equivalent": (GREEN, "white", "="),
    "undecided": (FAINT, LIGHT_INK, ""),
}
"""Colour, ink and sign of every verdict."""


@styled
def significance(
    table: Table, *, measure: str = "dice", phase: str = "test", alpha: float = 0.05, references: Sequence[str] = ()
) -> Figure:
    """Draw who is better than whom, a cell per pair: the row against the column.

    Args:
        table: The scores; see :func:`llmseg.stats.significance_map`.
        measure: Which measure.
        phase: Which phase.
        alpha: Chance of a false claim that is accepted, over all pairs.
        references: As for :func:`critical_difference`.

    Raises:
        UserError: There are fewer than two contenders, a cell is missing, or there is no such reference.
    """
    square = significance_map(table, measure=measure, phase=phase, alpha=alpha)
    names = [str(name) for name in square.index]
    known, number = contenders(names, references), len(names)
    side = 1.5 + 0.16 * number
    figure = canvas(max(SINGLE, side), side + 0.65)
    axes = figure.subplots()
    for row, column in np.ndindex(number, number):
        if row != column:
            _cell(axes, row, column, str(square.iloc[row, column]))
    labels = [known[name].label for name in names]
    axes.set_yticks(range(number), labels)
    axes.set_xticks(range(number), labels, rotation=90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, number - 0.5)
    axes.set_ylim(number - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    _verdict_legend(axes, set(square.to_numpy().ravel()))
    counts = ", ".join(f"{block.dataset} {len(block.sizes)}" for block in make_blocks(table, measure, phase=phase))
    pairs = f"Holm over {number * (number - 1) // 2} pairs, level {alpha:g}; by mean, best first."
    groups = f"Independent groups of cases: {counts}."
    note(figure, f"Row against column in {measure_text(measure)}, {pairs}", groups, sentences(table.remarks))
    return figure


def _cell(axes: Axes, row: int, column: int, verdict: str) -> None:
    from matplotlib.patches import Rectangle

    colour, ink, sign = VERDICTS[verdict]
    axes.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, color=colour, linewidth=0))
    axes.text(column, row, sign, ha="center", va="center", fontsize=SMALL, color=ink, fontweight="bold")


def _verdict_legend(axes: Axes, verdicts: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=colour, label=f"{verdict} {sign}".strip())
        for verdict, (colour, _, sign) in VERDICTS.items()
        if verdict in verdicts
    ]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=4, fontsize=SMALL)


@styled
def podium(
    table: Table,
    *,
    dataset: str | None = None,
    measure: str = "dice",
    phase: str = "test",
    references: Sequence[str] = (),
) -> Figure:
    """Draw which contender takes which place on how many cases, and the scores on each place.

    On every case contenders take places by their mean over seeds, first to last; ties take the mean of their places,
    rounded up. Above, a grey line is a case, a dot a contender on its place; below, a cell is the share of cases.

    Args:
        table: The scores.
        dataset: Which dataset; needed where there are several.
        measure: Which measure.
        phase: Which phase.
        references: As for :func:`critical_difference`.

    Raises:
        UserError: There are several datasets and none was named, fewer than two contenders, or a score is missing.
    """
    if dataset is None and len(table.datasets) > 1:
        raise UserError(f"a podium shows one dataset; choose by dataset: {', '.join(table.datasets)}")
    chosen = table.select(dataset=dataset or table.datasets[0], measure=measure, phase=phase)
    (block,) = make_blocks(chosen, measure, phase=phase)
    order = rank(chosen, measure=measure, phase=phase, resamples=2).frame["contender"].tolist()
    values = block.values.mean(axis=1)[[block.contenders.index(name) for name in order]]
    places = _places(values, sign(measure))
    known, number = contenders(order, references), len(order)
    figure = canvas(DOUBLE if number > 8 else 5.0, 2.6 + 0.15 * number)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 0.15 * number + 0.1])
    _dots(above, values, places, [known[name].colour for name in order], measure)
    shares = np.stack([(places == place).mean(axis=1) for place in range(1, number + 1)], axis=1)
    _shares(below, shares, [known[name].label for name in order])
    above.set_title(f"{block.dataset} ({values.shape[1]} cases, {len(block.seeds)} seeds)", loc="left")
    tied = int((np.diff(np.sort(values, axis=0), axis=0) == 0).any(axis=0).sum())
    cell = "Cell: share of cases in %, by mean score, best first; below 0.5 % blank."
    shared = f"Ties on {tied} of {values.shape[1]} cases: they share the mean of their places, rounded up."
    cohort_legend(figure, known.values())
    ties = shared if tied else ""
    note(figure, "Dot: a contender on a case (mean over seeds); line: a case.", cell, ties, sentences(table.remarks))
    return figure


def _places(values: np.ndarray, direction: float) -> np.ndarray:
    """Return the place of every contender on every case, from 1, int ``[P, C]``."""
    from scipy import stats

    places: np.ndarray = np.ceil(stats.rankdata(-direction * values, axis=0)).astype(int)
    return places


def _dots(axes: Axes, values: np.ndarray, places: np.ndarray, colours: Sequence[str], measure: str) -> None:
    number = len(values)
    # Within a place, contenders stand side by side in the order of the rows below.
    across = places + 0.7 * ((np.arange(number)[:, None] + 0.5) / number - 0.5)
    many = values.shape[1] > MANY
    for case in range(values.shape[1]):
        order = np.argsort(across[:, case])
        lines = axes.plot(across[order, case], values[order, case], color=FAINT, linewidth=0.3, zorder=1)
        lines[0].set(alpha=0.3 if many else 1, rasterized=many)
    for row, colour in enumerate(colours):
        size, alpha = (1.6, 0.4) if many else (3, 1)
        drawn = axes.plot(across[row], values[row], ".", color=colour, markersize=size, alpha=alpha, markeredgewidth=0)
        drawn[0].set(zorder=2, rasterized=many)
    axes.set_ylabel(measure_text(measure))
    axes.grid(axis="y")


def _shares(axes: Axes, shares: np.ndarray, labels: Sequence[str]) -> None:
    number = len(shares)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", extent=(0.5, number + 0.5, number - 0.5, -0.5))
    for row, column in zip(*np.nonzero(shares >= 0.005), strict=True):
        share = shares[row, column]
        colour = "white" if share > 0.55 else LIGHT_INK
        axes.text(column + 1, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=5, color=colour)
    axes.set_yticks(range(number), labels)
    axes.set_xticks(range(1, number + 1))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Place on a case")
