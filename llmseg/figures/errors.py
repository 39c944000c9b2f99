"""Errors in the code that language models wrote, by kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmseg.errors import UserError, shorten_list
from llmseg.figures.canvas import add_note, make_figure, styled
from llmseg.figures.contenders import cohort_title, look_up_contenders
from llmseg.figures.style import (
    BLACK,
    BLUE,
    DARK_INK,
    DOUBLE,
    GREEN,
    LIGHT_INK,
    ORANGE,
    PURPLE,
    SINGLE,
    SKY,
    SMALL,
    VERMILION,
)
from llmseg.stats.code_errors import count_errors
from llmseg.stats.words import count_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ERROR_COLOURS = {
    "NameError": ORANGE,
    "RuntimeError": BLUE,
    "ValueError": SKY,
    "TypeError": GREEN,
    "AttributeError": PURPLE,
    "missing import": BLACK,
    "other": VERMILION,
}
"""Colours of errors by kind. A missing import raised no exception; an editor's warning showed it."""


@styled
def error_bars(errors: pd.DataFrame | None = None) -> Figure:
    """Draw the errors in each model's code by kind: a stacked bar per model, a panel per cohort.

    Models with most errors stand on top, equal ones by name. A model without errors has a triangle.

    Args:
        errors: A row per error, with the columns ``model, exception, category``; ``None`` takes what the study
            published. A model of the study without a row had no error.

    Raises:
        UserError: A column is missing, or a model is not a pipeline of the zoo with a cohort.

    Example:
        >>> figure = error_bars()
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['2024 models', '2025 models']
    """
    published = errors is None
    counts = error_counts(_published() if errors is None else errors)
    contenders = look_up_contenders(counts.index)
    strangers = [name for name in counts.index if not contenders[name].cohort]
    if strangers:
        raise UserError(f"{strangers[0]} is no pipeline with a cohort; llmseg list shows them")
    cohorts = sorted({contender.cohort for contender in contenders.values() if contender.cohort})
    rows = max(sum(contender.cohort == cohort for contender in contenders.values()) for cohort in cohorts)
    figure = make_figure(SINGLE if len(cohorts) == 1 else DOUBLE, 0.9 + 0.17 * rows)
    for axes, cohort in zip(figure.subplots(1, len(cohorts), squeeze=False)[0], cohorts, strict=True):
        names = [name for name in counts.index if contenders[name].cohort == cohort]
        names.sort(key=lambda name: (-counts.loc[name].sum(), contenders[name].label))
        _bars(axes, counts.loc[names], [contenders[name].label for name in names])
        axes.set_title(cohort_title(cohort), loc="left")
    _legend(figure, [kind for kind in ERROR_COLOURS if counts[kind].any()])
    source = (
        f"As in the study's spreadsheet; its figure differs for {_models_that_differ(counts)}." if published else ""
    )
    add_note(figure, "Missing import: without an exception, seen as an editor's warning.", source)
    return figure


def error_counts(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the number of errors of every model (rows) of every kind (columns).

    Args:
        errors: As for :func:`error_bars`.

    Returns:
        A row per model, first those of the study in its order, then others of ``errors``.

    Raises:
        UserError: A column is missing.

    Example:
        >>> errors = pd.DataFrame({"model": ["gpt-4"], "exception": ["NameError"], "category": ["missing import"]})
        >>> error_counts(errors).loc["gpt-4"].tolist()
        [1, 0, 0, 0, 0, 0, 0]
    """
    from llmseg import zoo

    for name in ("model", "exception", "category"):
        if name not in errors.columns:
            raise UserError(f"no column '{name}' among {', '.join(errors.columns)}; give model, exception and category")
    other = np.where(errors["category"] == "missing import", "missing import", "other")
    kind = errors["exception"].where(errors["exception"].isin(list(ERROR_COLOURS)), other)
    counts = pd.crosstab(errors["model"], kind)
    models = dict.fromkeys([*zoo.names(), *counts.index])
    full: pd.DataFrame = counts.reindex(index=list(models), columns=list(ERROR_COLOURS), fill_value=0)
    return full


@styled
def error_grid(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw how many errors there are of each category in each phase, a panel per set of errors.

    Args:
        panels: Sets of errors by their title. Each has a row per error, with the columns ``phase, category``.

    Raises:
        UserError: There is no set.

    Example:
        >>> from llmseg.stats import published_errors
        >>> figure = error_grid({"The study": published_errors()})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['The study: 63 errors']
    """
    if not panels:
        raise UserError("there are no errors to draw; give a set of the study or a table of errors")
    counts = {title: count_errors(errors) for title, errors in panels.items()}
    most = max(max(int(grid.to_numpy().max()) for grid in counts.values()), 1)
    figure = make_figure(SINGLE if len(counts) == 1 else DOUBLE, 2.7)
    for axes, (title, grid) in zip(figure.subplots(1, len(counts), squeeze=False)[0], counts.items(), strict=True):
        numbers = grid.to_numpy()
        axes.imshow(numbers, cmap="Blues", vmin=0, vmax=most, aspect="auto")
        for row, column in np.argwhere(numbers > 0):
            number = int(numbers[row, column])
            ink = DARK_INK if number > most / 2 else LIGHT_INK
            axes.text(column, row, str(number), ha="center", va="center", color=ink, fontsize=SMALL)
        axes.set_xticks(range(grid.shape[1]), list(grid.columns), rotation=45, ha="right")
        axes.set_yticks(range(grid.shape[0]), list(grid.index))
        axes.tick_params(length=0)
        axes.set_title(f"{title}: {count_text(int(numbers.sum()), 'error')}", loc="left")
    return figure


def _published() -> pd.DataFrame:
    from llmseg.stats import published_errors

    return published_errors()


def _models_that_differ(counts: pd.DataFrame) -> str:
    """Return the models whose bars in the study's own figure are others."""
    from llmseg.stats import published

    drawn = published.get("error_counts").frame.query("set == 'core'").set_index("model")
    drawn = drawn[[f"figure_{kind.replace('missing import', 'missing_imports')}" for kind in ERROR_COLOURS]]
    differ = (drawn.to_numpy() != counts.loc[drawn.index].to_numpy()).any(axis=1)
    return shorten_list(contender.label for contender in look_up_contenders(drawn.index[differ]).values())


def _bars(axes: Axes, counts: pd.DataFrame, labels: list[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    left = np.zeros(len(counts))
    for kind, colour in ERROR_COLOURS.items():
        present = counts[kind].to_numpy() > 0
        rows, sizes = np.flatnonzero(present), counts[kind].to_numpy()[present]
        axes.barh(rows, sizes, left=left[present], height=0.68, color=colour, edgecolor="white", linewidth=0.6)
        left[present] += sizes
    for row in np.flatnonzero(left == 0).tolist():
        axes.plot(0, row, ">", color=LIGHT_INK, markersize=3.5, clip_on=False)
    for row, total in enumerate(left.tolist()):
        axes.annotate(f"{total:.0f}", (total, row), (4, 0), textcoords="offset points", va="center", fontsize=SMALL)
    axes.set_yticks(range(len(counts)), labels)
    axes.set_ylim(len(counts) - 0.4, -0.6)
    axes.set_xlim(0, max(left.max(), 1) * 1.08)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("Number of errors")


def _legend(figure: Figure, kinds: list[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=ERROR_COLOURS[kind], label=kind) for kind in kinds]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=SMALL, columnspacing=1.2)
