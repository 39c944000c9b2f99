"""How scores spread over cases: box plots, and clouds with every case."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.canvas import note, panels, sentences, styled
from llmseg.figures.contenders import Contender, cohort_legend, contenders
from llmseg.figures.scores import Scores, measure_text, scores
from llmseg.figures.style import GREY, LIGHT_INK
from llmseg.stats.columns import SHARES, sign
from llmseg.stats.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.145
"""Inches of a row with a label."""

FEW_FOR_BOX, FEW_FOR_HILL = 5, 10
"""Where there are fewer scores than this, they are drawn one by one, without box or density."""

MANY = 100
"""With more cases than this, dots are small and pale, and pixels also in vector figures."""

_BOX = (
    f"Box: quartiles and median; whiskers: up to 1.5 times the box; dots: scores beyond, or all if below {FEW_FOR_BOX}."
)


@styled
def box_plots(table: Table, *, measure: str = "dice", phase: str = "test", references: Sequence[str] = ()) -> Figure:
    """Draw the scores of every contender as a box, a panel per dataset.

    References stand on top, the others below by falling median (rising, where less is better); equal medians by name.
    A box holds the scores of all cases with all seeds.

    Args:
        table: The scores; they need not be complete, the titles say how many there are.
        measure: Which measure.
        phase: Which phase.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There is no such measure, phase or reference, or no score that is a number.
    """
    return _by_dataset(table, measure, phase, references, _boxes, _BOX)


@styled
def clouds(table: Table, *, measure: str = "dice", phase: str = "test", references: Sequence[str] = ()) -> Figure:
    """Draw every case of every contender as a dot below the density of all, a panel per dataset (raincloud plots).

    A dot is the mean of a case over seeds. Order and arguments are those of :func:`box_plots`.

    Raises:
        UserError: As :func:`box_plots`.
    """
    hill = f"hill: their density, each of the same height, from {FEW_FOR_HILL} cases on."
    said = f"Dot: a case, mean over seeds; line: their median; {hill}"
    return _by_dataset(table, measure, phase, references, _clouds, said)


def _by_dataset(
    table: Table,
    measure: str,
    phase: str,
    references: Sequence[str],
    draw: Callable[[Axes, Scores, Sequence[str], Mapping[str, Contender]], None],
    said: str,
) -> Figure:
    found = _some(scores(table, measure, phase), measure)
    known = contenders(table.contenders, references)
    rows = max(len(one.values) for one in found)
    figure, axes = panels(len(found), 0.65 + ROW * max(rows, 4))
    for panel, one in zip(axes, found, strict=True):
        names = one.ordered(known, sign(measure))
        draw(panel, one, names, known)
        _rows(panel, [known[name].label for name in names], one, measure)
    cohort_legend(figure, known.values())
    note(figure, said, "References on top, then by median.", sentences(table.remarks))
    return figure


@styled
def run_boxes(table: Table, *, measure: str = "dice", phase: str = "test", references: Sequence[str] = ()) -> Figure:
    """Draw the scores of repeated generations of one model as boxes, a panel per dataset, a group per model.

    Args:
        table: With contenders such as ``gpt-4o@run-03``; others that are no references are left out.
        measure: Which measure.
        phase: Which phase.
        references: As for :func:`box_plots`; a dashed line continues the median of the first.

    Raises:
        UserError: The table has no repeated generations, or as :func:`box_plots`.
    """
    known = contenders(table.contenders, references)
    found = _some([_runs_only(one, known) for one in scores(table, measure, phase)], measure)
    if not any(one.model for one in known.values()):
        raise UserError("the table has no repeated generations, such as gpt-4o@run-03; compare 'gpt-4o@run-*'")
    most = max(len(one.values) + len({known[name].model for name in one.values}) for one in found)
    figure, axes = panels(len(found), 0.65 + ROW * most)
    for panel, one in zip(axes, found, strict=True):
        _grouped(panel, one, known, measure)
    cohort_legend(figure, known.values())
    dashed = "Dashed: median of the reference." if any(one.reference for one in known.values()) else ""
    note(figure, _BOX, "By median within a model.", dashed, sentences(table.remarks))
    return figure


def _runs_only(one: Scores, known: Mapping[str, Contender]) -> Scores:
    kept = [name for name in one.values if known[name].model or known[name].reference]
    values, means = ({name: of[name] for name in kept} for of in (one.values, one.means))
    return Scores(one.dataset, values, means, one.count)


def _some(found: list[Scores], measure: str) -> list[Scores]:
    found = [one for one in found if one.values]
    if not found:
        raise UserError(f"no {measure} to draw: none is a number; choose another measure")
    return found


def _grouped(axes: Axes, one: Scores, known: Mapping[str, Contender], measure: str) -> None:
    """Draw references, then the models one below the other with a gap between them."""
    ordered = one.ordered(known, sign(measure))
    models = sorted({str(known[name].model) for name in ordered if known[name].model}, reverse=True)
    groups = [[name for name in ordered if known[name].reference]]
    groups += [[name for name in ordered if known[name].model == model] for model in models]
    places, names, place = [], [], 0.0
    for group in groups:
        places += [place + row for row in range(len(group))]
        names += group
        place += len(group) + (0.8 if group else 0)
    for row, name in zip(places, names, strict=True):
        _box(axes, row, one.values[name], known[name].colour)
    _rows(axes, [known[name].label for name in names], one, measure, places)
    for name in groups[0][:1]:
        axes.axvline(float(np.median(one.values[name])), color=GREY, linestyle=(0, (4, 2)), linewidth=0.7, zorder=0)


def _rows(axes: Axes, labels: Sequence[str], one: Scores, measure: str, places: Sequence[float] | None = None) -> None:
    places = list(range(len(labels))) if places is None else places
    axes.set_yticks(places, labels)
    axes.set_ylim(max(places) + 0.6, min(places) - 0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    if measure in SHARES:
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_xlabel(f"{measure_text(measure)}\n{one.count}", loc="right", linespacing=1.3)
    axes.set_title(textwrap.shorten(one.dataset, 34, placeholder="..."), loc="left")


def _boxes(axes: Axes, one: Scores, names: Sequence[str], known: Mapping[str, Contender]) -> None:
    for row, name in enumerate(names):
        _box(axes, row, one.values[name], known[name].colour)


def _box(axes: Axes, row: float, values: np.ndarray, colour: str) -> None:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    axes.vlines(middle, row - 0.31, row + 0.31, color=LIGHT_INK, linewidth=1.1, zorder=3)
    if len(values) < FEW_FOR_BOX:
        axes.plot(values, np.full(len(values), row), ".", color=colour, markersize=4, markeredgewidth=0)
        return
    reach = 1.5 * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    axes.hlines(row, inside.min(), inside.max(), color=colour, linewidth=0.7)
    axes.barh(row, high - low, left=low, height=0.62, color=colour, alpha=0.55, edgecolor=colour, linewidth=0.6)
    outside = values[(values < inside.min()) | (values > inside.max())]
    axes.plot(outside, np.full(len(outside), row), ".", color=colour, markersize=2.6, markeredgewidth=0)


def _clouds(axes: Axes, one: Scores, names: Sequence[str], known: Mapping[str, Contender]) -> None:
    for row, name in enumerate(names):
        values, colour = one.means[name], known[name].colour
        # Dots in three lines, by turns, so that equal scores of neighbours stay apart and the same table gives the
        # same figure.
        height = row + 0.14 + 0.13 * (np.arange(len(values)) % 3)
        many = len(values) > MANY
        size, alpha = (1.8, 0.5) if many else (2.2, 0.6) if len(values) > 20 else (3.5, 0.6)
        drawn = axes.plot(values, height, ".", color=colour, markersize=size, alpha=alpha, markeredgewidth=0)
        drawn[0].set_rasterized(many)
        axes.vlines(np.median(values), row - 0.38, row + 0.05, color=LIGHT_INK, linewidth=1.0, zorder=3)
        if len(values) >= FEW_FOR_HILL and np.ptp(values) > 0:
            grid, density = _density(values)
            axes.fill_between(grid, row, row - 0.42 * density, color=colour, alpha=0.45, linewidth=0)


def _density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a density over the range of the values, the largest 1."""
    from scipy.stats import gaussian_kde

    grid = np.linspace(values.min(), values.max(), 128)
    density = gaussian_kde(values)(grid)
    return grid, density / density.max()
