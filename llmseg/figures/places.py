"""The places that contenders take on single cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.boxes import MANY
from llmseg.figures.canvas import add_note, join_remarks, make_figure, styled
from llmseg.figures.contenders import add_cohort_legend, look_up_contenders
from llmseg.figures.scores import measure_text
from llmseg.figures.style import DOUBLE, FAINT, LIGHT_INK
from llmseg.stats.blocks import make_blocks
from llmseg.stats.columns import sign
from llmseg.stats.ranking import rank
from llmseg.stats.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def podium(
    table: Table,
    *,
    dataset: str | None = None,
    measure: str = "dice",
    phase: str = "test",
    references: Sequence[str] = (),
) -> Figure:
    """Draw on how many cases every contender takes every place, and the scores on each place.

    On every case, contenders take places by their mean over seeds. Ties take the mean of their places, rounded up. In
    the upper panel a grey line is a case, and a dot is a contender on its place. In the lower panel a cell is the share
    of cases.

    Args:
        table: The scores.
        dataset: Which dataset; it has to be named where there are several.
        measure: Which measure.
        phase: Which phase.
        references: As for :func:`llmseg.figures.critical_difference`.

    Raises:
        UserError: There are several datasets and none was named, fewer than two contenders, or a score is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> figure = podium(simulate(pipelines=3, datasets=1, cases=20))
        >>> figure.axes[0].get_title(loc="left")
        'dataset-1 (20 cases, 3 seeds)'
    """
    if dataset is None and len(table.datasets) > 1:
        raise UserError(f"a podium shows one dataset; choose by dataset: {', '.join(table.datasets)}")
    chosen = table.select(dataset=dataset or table.datasets[0], measure=measure, phase=phase)
    (block,) = make_blocks(chosen, measure, phase=phase)
    order = rank(chosen, measure=measure, phase=phase, resamples=2).frame["contender"].tolist()
    values = block.values.mean(axis=1)[[block.contenders.index(name) for name in order]]
    places = _places(values, sign(measure))
    contenders, count = look_up_contenders(order, references), len(order)
    figure = make_figure(DOUBLE if count > 8 else 5.0, 2.6 + 0.15 * count)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 0.15 * count + 0.1])
    _dots(above, values, places, [contenders[name].colour for name in order], measure)
    shares = np.stack([(places == place).mean(axis=1) for place in range(1, count + 1)], axis=1)
    _shares(below, shares, [contenders[name].label for name in order])
    above.set_title(f"{block.dataset} ({values.shape[1]} cases, {len(block.seeds)} seeds)", loc="left")
    tied = int((np.diff(np.sort(values, axis=0), axis=0) == 0).any(axis=0).sum())
    cell = "Cell: share of cases in %, by mean score, best first; below 0.5 % blank."
    shared = f"Ties on {tied} of {values.shape[1]} cases: they share the mean of their places, rounded up."
    add_cohort_legend(figure, contenders.values())
    ties = shared if tied else ""
    add_note(
        figure, "Dot: a contender on a case (mean over seeds); line: a case.", cell, ties, join_remarks(table.remarks)
    )
    return figure


def _places(values: np.ndarray, direction: float) -> np.ndarray:
    """Return the place of every contender on every case, from 1, int ``[P, C]``."""
    from scipy import stats

    places: np.ndarray = np.ceil(stats.rankdata(-direction * values, axis=0)).astype(int)
    return places


def _dots(axes: Axes, values: np.ndarray, places: np.ndarray, colours: Sequence[str], measure: str) -> None:
    count = len(values)
    # Within a place, contenders stand side by side in the order of the rows below.
    across = places + 0.7 * ((np.arange(count)[:, None] + 0.5) / count - 0.5)
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
    count = len(shares)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", extent=(0.5, count + 0.5, count - 0.5, -0.5))
    for row, column in zip(*np.nonzero(shares >= 0.005), strict=True):
        share = shares[row, column]
        colour = "white" if share > 0.55 else LIGHT_INK  # whatever reads better on that blue
        axes.text(column + 1, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=5, color=colour)
    axes.set_yticks(range(count), labels)
    axes.set_xticks(range(1, count + 1))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Place on a case")
