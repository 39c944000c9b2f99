"""How scores spread over cases: box plots, and clouds with every case."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.canvas import add_note, join_remarks, make_panels, styled
from llmseg.figures.contenders import Contender, add_cohort_legend, look_up_contenders
from llmseg.figures.scores import Scores, measure_text, scores_by_dataset
from llmseg.figures.style import GREY, LIGHT_INK
from llmseg.stats.columns import SHARES, sign
from llmseg.stats.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.145
"""Height in inches of a row with a label: a line of 6 points (0.083 inches) and some air."""

LEAST_FOR_BOX, LEAST_FOR_DENSITY = 5, 10
"""Of fewer scores than this, quartiles or a density would show more than there is: only dots are drawn."""

MANY = 100
"""With more cases than this, dots are small and pale, and pixels also in vector figures, which would grow huge."""

_BOX = (
    "Box: quartiles and median; whiskers: up to 1.5 times the box; "
    f"dots: scores beyond, or all if below {LEAST_FOR_BOX}."
)


@styled
def box_plots(table: Table, *, measure: str = "dice", phase: str = "test", references: Sequence[str] = ()) -> Figure:
    """Draw the scores of every contender as a box, a panel per dataset.

    References stand on top. The others follow by median, the best first, equal medians by name. A box holds the scores
    of all cases with all seeds.

    Args:
        table: The scores. They need not be complete; every panel says how many there are.
        measure: Which measure.
        phase: Which phase.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There is no such measure, phase or reference, or no score that is a number.

    Example:
        >>> from llmseg.stats import simulate
        >>> figure = box_plots(simulate(pipelines=3, datasets=2, cases=10))
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['dataset-1', 'dataset-2']
    """
    return _by_dataset(table, measure, phase, references, _boxes, _BOX)


@styled
def clouds(table: Table, *, measure: str = "dice", phase: str = "test", references: Sequence[str] = ()) -> Figure:
    r"""Draw every case of every contender as a dot below the density of all, a panel per dataset (raincloud plots).

    A dot is the mean of a case over seeds. The contenders stand in the order of :func:`box_plots`.

    Args:
        table: As for :func:`box_plots`.
        measure: Which measure.
        phase: Which phase.
        references: As for :func:`box_plots`.

    Raises:
        UserError: As :func:`box_plots`.

    Example:
        >>> from llmseg.stats import simulate
        >>> figure = clouds(simulate(pipelines=2, datasets=1, cases=10))
        >>> figure.axes[0].get_xlabel()
        'Dice score\n10 cases, 3 seeds'
    """
    hill = f"hill: their density, each of the same height, from {LEAST_FOR_DENSITY} cases on."
    legend = f"Dot: a case, mean over seeds; line: their median; {hill}"
    return _by_dataset(table, measure, phase, references, _clouds, legend)


def _by_dataset(
    table: Table,
    measure: str,
    phase: str,
    references: Sequence[str],
    draw: Callable[[Axes, Scores, Sequence[Contender]], None],
    legend: str,
) -> Figure:
    scores = scores_by_dataset(table, measure, phase)
    _check_any(scores, measure)
    contenders = look_up_contenders(table.contenders, references)
    rows = max(len(on_dataset.values) for on_dataset in scores)
    # 0.65 inches hold title and axis; a panel is never lower than four rows.
    figure, axes = make_panels(len(scores), 0.65 + ROW * max(rows, 4))
    for panel, on_dataset in zip(axes, scores, strict=True):
        ordered = [contenders[name] for name in on_dataset.order(contenders, sign(measure))]
        draw(panel, on_dataset, ordered)
        _label_rows(panel, ordered, on_dataset, measure, range(len(ordered)))
    add_cohort_legend(figure, contenders.values())
    add_note(figure, legend, "References on top, then by median.", join_remarks(table.remarks))
    return figure


@styled
def run_boxes(table: Table, *, measure: str = "dice", phase: str = "test", references: Sequence[str] = ()) -> Figure:
    """Draw the scores of repeated generations of one model as boxes, a panel per dataset, a group per model.

    Args:
        table: Scores of contenders such as ``gpt-4o@run-03`` and of references; other contenders are left out.
        measure: Which measure.
        phase: Which phase.
        references: As for :func:`box_plots`. A dashed line marks the median of the first across the panel.

    Raises:
        UserError: The table has no repeated generations, or as :func:`box_plots`.

    Example:
        >>> from llmseg.stats import simulate
        >>> frame = simulate(pipelines=2, datasets=1, cases=10).frame
        >>> runs = {"llm-01": "gpt-4o@run-01", "llm-02": "gpt-4o@run-02"}
        >>> figure = run_boxes(Table(frame.assign(pipeline=frame["pipeline"].map(runs))))
        >>> sorted(label.get_text() for label in figure.axes[0].get_yticklabels())
        ['GPT-4o run 01', 'GPT-4o run 02']
    """
    contenders = look_up_contenders(table.contenders, references)
    kept = [name for name, contender in contenders.items() if contender.model or contender.is_reference]
    scores = [_keep(on_dataset, kept) for on_dataset in scores_by_dataset(table, measure, phase)]
    scores = [on_dataset for on_dataset in scores if on_dataset.values]
    _check_any(scores, measure)
    if not any(contender.model for contender in contenders.values()):
        raise UserError("the table has no repeated generations, such as gpt-4o@run-03; compare 'gpt-4o@run-*'")
    # A row per contender, and one for the gap below every model.
    rows = max(
        len(on_dataset.values) + len({contenders[name].model for name in on_dataset.values}) for on_dataset in scores
    )
    figure, axes = make_panels(len(scores), 0.65 + ROW * rows)
    for panel, on_dataset in zip(axes, scores, strict=True):
        _boxes_by_model(panel, on_dataset, contenders, measure)
    add_cohort_legend(figure, contenders.values())
    any_reference = any(contender.is_reference for contender in contenders.values())
    dashed = "Dashed: median of the reference." if any_reference else ""
    add_note(figure, _BOX, "By median within a model.", dashed, join_remarks(table.remarks))
    return figure


def _keep(scores: Scores, names: Collection[str]) -> Scores:
    """Return the scores of some contenders."""
    values, means = (
        {name: array for name, array in arrays.items() if name in names} for arrays in (scores.values, scores.means)
    )
    return Scores(scores.dataset, values, means, scores.counts)


def _check_any(scores: Sequence[Scores], measure: str) -> None:
    if not scores:
        raise UserError(f"no {measure} to draw: none is a number; choose another measure")


def _boxes_by_model(axes: Axes, scores: Scores, contenders: Mapping[str, Contender], measure: str) -> None:
    """Draw references, then the models one below the other with a gap between them."""
    ordered = [contenders[name] for name in scores.order(contenders, sign(measure))]
    models = sorted({contender.model for contender in ordered if contender.model}, reverse=True)
    groups = [[contender for contender in ordered if contender.is_reference]]
    groups += [[contender for contender in ordered if contender.model == model] for model in models]
    heights, top = [], 0.0
    for group in groups:
        heights += [top + row for row in range(len(group))]
        top += len(group) + (0.8 if group else 0)
    rows = [contender for group in groups for contender in group]
    for height, contender in zip(heights, rows, strict=True):
        _box(axes, height, scores.values[contender.name], contender.colour)
    _label_rows(axes, rows, scores, measure, heights)
    for reference in groups[0][:1]:
        median = float(np.median(scores.values[reference.name]))
        axes.axvline(median, color=GREY, linestyle=(0, (4, 2)), linewidth=0.7, zorder=0)


def _label_rows(axes: Axes, rows: Sequence[Contender], scores: Scores, measure: str, heights: Sequence[float]) -> None:
    axes.set_yticks(heights, [contender.label for contender in rows])
    axes.set_ylim(max(heights) + 0.6, min(heights) - 0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    if measure in SHARES:
        # A little beyond 0 and 1, so that dots at the ends are whole.
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_xlabel(f"{measure_text(measure)}\n{scores.counts}", loc="right", linespacing=1.3)
    axes.set_title(textwrap.shorten(scores.dataset, 34, placeholder="..."), loc="left")


def _boxes(axes: Axes, scores: Scores, rows: Sequence[Contender]) -> None:
    for row, contender in enumerate(rows):
        _box(axes, row, scores.values[contender.name], contender.colour)


def _box(axes: Axes, row: float, values: np.ndarray, colour: str) -> None:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    axes.vlines(middle, row - 0.31, row + 0.31, color=LIGHT_INK, linewidth=1.1, zorder=3)
    if len(values) < LEAST_FOR_BOX:
        axes.plot(values, np.full(len(values), row), ".", color=colour, markersize=4, markeredgewidth=0)
        return
    reach = 1.5 * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    axes.hlines(row, inside.min(), inside.max(), color=colour, linewidth=0.7)
    axes.barh(row, high - low, left=low, height=0.62, color=colour, alpha=0.55, edgecolor=colour, linewidth=0.6)
    outside = values[(values < inside.min()) | (values > inside.max())]
    axes.plot(outside, np.full(len(outside), row), ".", color=colour, markersize=2.6, markeredgewidth=0)


def _clouds(axes: Axes, scores: Scores, rows: Sequence[Contender]) -> None:
    for row, contender in enumerate(rows):
        values, colour = scores.means[contender.name], contender.colour
        # Dots lie in three lines, by turns: cases with equal scores stay apart, and unlike with random heights the same
        # table gives the same figure.
        height = row + 0.14 + 0.13 * (np.arange(len(values)) % 3)
        many = len(values) > MANY
        size, alpha = (1.8, 0.5) if many else (2.2, 0.6) if len(values) > 20 else (3.5, 0.6)
        drawn = axes.plot(values, height, ".", color=colour, markersize=size, alpha=alpha, markeredgewidth=0)
        drawn[0].set_rasterized(many)
        axes.vlines(np.median(values), row - 0.38, row + 0.05, color=LIGHT_INK, linewidth=1.0, zorder=3)
        if len(values) >= LEAST_FOR_DENSITY and np.ptp(values) > 0:
            grid, density = _density(values)
            axes.fill_between(grid, row, row - 0.42 * density, color=colour, alpha=0.45, linewidth=0)


def _density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points over the range of the values, and the density there, scaled so that its largest value is 1."""
    from scipy.stats import gaussian_kde

    grid = np.linspace(values.min(), values.max(), 128)
    density = gaussian_kde(values)(grid)
    return grid, density / density.max()
