"""Curves of losses over epochs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.axes import Scale, format_loss_axes
from llmseg.figures.canvas import add_note, make_figure, make_panels, styled
from llmseg.figures.contenders import Contender, by_cohort, cohort_title, look_up_contenders
from llmseg.figures.loss_lines import LossLine, carry_last, make_lines, number_epochs
from llmseg.figures.style import COHORTS, DASHES, DOUBLE, GREY, LINES, OTHER, SINGLE, SMALL
from llmseg.stats.options import check_choice
from llmseg.study.results import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Loss = Literal["train", "validation"]

_DIFFER = "Pipelines have different loss functions: compare shapes, not heights."
_NAMES = {"train": "Training", "validation": "Validation"}


@styled
def loss_curves(
    curves: Sequence[Curve], *, loss: Loss = "validation", scale: Scale = "linear", references: Sequence[str] = ()
) -> Figure:
    r"""Draw the loss of every contender over epochs: a row per dataset, a column per cohort, references in each.

    A line is the mean over seeds, and its band reaches from the lowest to the highest seed. A dot marks the epoch at
    which a pipeline itself would have stopped, where the training had another number of epochs. A cross marks the last
    epoch before a loss is no longer a number.

    Args:
        curves: The losses of the trainings.
        loss: ``train`` or ``validation``.
        scale: ``linear``, or ``log``, which leaves out losses of 0 and below.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There are no curves, an option is none of those above, or too many contenders share a panel.

    Example:
        >>> losses = np.array([0.9, 0.5, 0.4])
        >>> figure = loss_curves([Curve("gpt-4o", "Skin", 0, losses, losses)])
        >>> figure.axes[0].get_ylabel()
        'Skin\nValidation loss'
    """
    contenders = _check(curves, loss, scale, references)
    lines = make_lines(curves, loss, contenders)
    columns = by_cohort(contenders)
    # The legend has two columns of names below each panel.
    legend_rows = -(-max(len(names) for names in columns.values()) // 2)
    width, legend = SINGLE if len(columns) == 1 else DOUBLE, 0.13 * legend_rows
    figure = make_figure(width, 0.6 + 1.15 * len(lines) + legend)
    grid = figure.add_gridspec(len(lines) + 1, len(columns), height_ratios=[*[0.9] * len(lines), legend])
    axes = grid.subplots(squeeze=False, sharey="row")
    for row, (dataset, on_dataset) in zip(axes[:-1], lines.items(), strict=True):
        for panel, (cohort, names) in zip(row, columns.items(), strict=True):
            _draw(panel, [line for line in on_dataset if line.contender.name in names], _looks(names, contenders))
            if panel.get_subplotspec().is_first_row():
                panel.set_title(cohort_title(cohort) if len(columns) > 1 or cohort else "", loc="left")
        row[0].set_ylabel(f"{textwrap.fill(dataset, 16)}\n{_NAMES[loss]} loss")
    format_loss_axes(axes[:-1].flat, scale)
    for panel, below, names in zip(axes[-2], axes[-1], columns.values(), strict=True):
        panel.set_xlabel("Epoch")
        _legend(below, _looks(names, contenders), contenders)
    add_note(figure, *_notes(lines, curves, scale))
    return figure


@styled
def cohort_curves(
    curves: Sequence[Curve], *, loss: Loss = "validation", scale: Scale = "linear", references: Sequence[str] = ()
) -> Figure:
    """Draw the mean loss of each cohort over epochs, a panel per dataset, with thin lines for single LLMs.

    Every LLM counts once, by its pipeline of the study. Repeated generations, other variants and contenders from
    outside the study are left out. A mean is solid while all LLMs of the cohort train, and dashed after the first has
    ended.

    Args:
        curves: As for :func:`loss_curves`.
        loss: As for :func:`loss_curves`.
        scale: As for :func:`loss_curves`.
        references: As for :func:`loss_curves`.

    Raises:
        UserError: As :func:`loss_curves`, or no contender is a pipeline of the study.

    Example:
        >>> losses = np.array([0.9, 0.5, 0.4])
        >>> figure = cohort_curves([Curve(name, "Skin", 0, losses, losses) for name in ("gpt-4", "gpt-o3")])
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['2024 (1 LLMs)', '2025 (1 LLMs)']
    """
    contenders = _check(curves, loss, scale, references)
    lines = make_lines(curves, loss, contenders)
    cohorts = sorted(
        {contender.cohort for contender in contenders.values() if contender.represents_llm and contender.cohort}
    )
    if not cohorts:
        names = ", ".join(contenders)
        raise UserError(f"no LLM with a cohort among {names}; they are the pipelines that llmseg list shows")
    figure, axes = make_panels(len(lines), 1.7, extra=0.5)
    # Not by matplotlib's own list of labels, which leaves out names that begin with an underscore.
    shown: list[Line2D] = []
    for panel, (dataset, on_dataset) in zip(axes, lines.items(), strict=True):
        for cohort in cohorts:
            members = [line for line in on_dataset if line.contender.represents_llm and line.contender.cohort == cohort]
            drawn = _draw_mean(panel, members, cohort)
            shown += drawn if panel is axes[0] else []
        for index, line in enumerate(line for line in on_dataset if line.contender.is_reference):
            look = {**_GREY, "linewidth": 1.6, "linestyle": DASHES[index % len(DASHES)]}
            drawn = panel.plot(number_epochs(line.mean), line.mean, label=line.contender.label, **look)
            shown += drawn if panel is axes[0] else []
        panel.set_title(dataset, loc="left")
        panel.set_xlabel("Epoch")
        panel.set_ylabel(f"{_NAMES[loss]} loss")
    format_loss_axes(axes, scale)
    figure.legend(handles=shown, loc="outside upper left", ncols=len(shown), handlelength=1.8)
    thick = "Thick: mean over LLMs; thin: single LLMs, mean over seeds."
    dashed = "Dashed: the first LLM has ended; from there the last loss of those that ended counts."
    others = sum(not (contender.represents_llm or contender.is_reference) for contender in contenders.values())
    beside = f"Left out: {others} that repeat or vary an LLM, or are from outside the study." if others else ""
    add_note(figure, thick, dashed, _DIFFER, beside, _left_out(lines, scale))
    return figure


@styled
def run_curves(
    curves: Sequence[Curve], *, loss: Loss = "validation", scale: Scale = "log", references: Sequence[str] = ()
) -> Figure:
    """Draw the losses of repeated generations of a model: a column per model, a row per dataset, references thick.

    Args:
        curves: Losses of contenders such as ``gpt-4o@run-03`` and of references; other contenders are left out.
        loss: As for :func:`loss_curves`.
        scale: As for :func:`loss_curves`.
        references: As for :func:`loss_curves`.

    Raises:
        UserError: There are no repeated generations, or as :func:`loss_curves`.

    Example:
        >>> losses = np.array([0.9, 0.5, 0.4])
        >>> figure = run_curves([Curve(f"gpt-4o@run-0{run}", "Skin", 0, losses, losses) for run in (1, 2)])
        >>> figure.axes[0].get_title(loc="left")
        'a  GPT-4o, 2 generations'
    """
    contenders = _check(curves, loss, scale, references)
    lines = make_lines(curves, loss, contenders)
    models = sorted({contender.model for contender in contenders.values() if contender.model})
    if not models:
        raise UserError("there are no repeated generations, such as gpt-4o@run-03; compare 'gpt-4o@run-*'")
    figure = make_figure(SINGLE if len(models) == 1 else DOUBLE, 0.8 + 1.7 * len(lines))
    axes = figure.subplots(len(lines), len(models), squeeze=False, sharey="row")
    for row, (dataset, on_dataset) in zip(axes, lines.items(), strict=True):
        for letter, panel, model in zip("abcdefghij", row, models, strict=False):
            runs = [line for line in on_dataset if line.contender.model == model]
            _draw(panel, [line for line in on_dataset if line.contender.is_reference], dict.fromkeys(contenders, _GREY))
            for line in runs:
                panel.plot(number_epochs(line.mean), line.mean, color=line.contender.colour, linewidth=0.7)
            label = look_up_contenders([model])[model].label
            panel.set_title(f"{letter}  {label}, {len(runs)} generations", loc="left")
            panel.set_xlabel("Epoch")
        row[0].set_ylabel(f"{textwrap.fill(dataset, 16)}\n{_NAMES[loss]} loss")
    format_loss_axes(axes.flat, scale)
    thick = ", ".join(contender.label for contender in contenders.values() if contender.is_reference)
    add_note(figure, "Line: a generation, mean over seeds.", f"Thick, grey: {thick}." if thick else "", _DIFFER)
    return figure


_GREY: dict[str, Any] = {"color": GREY, "linestyle": "-", "linewidth": 1.8}


def _check(curves: Sequence[Curve], loss: str, scale: str, references: Sequence[str]) -> dict[str, Contender]:
    """Check what was given; return the contenders."""
    check_choice("loss", loss, get_args(Loss))
    check_choice("scale", scale, get_args(Scale))
    if not curves:
        raise UserError("there are no trainings to draw; name folders that hold runs")
    return look_up_contenders(dict.fromkeys(curve.contender for curve in curves), references)


def _looks(names: Sequence[str], contenders: Mapping[str, Contender]) -> dict[str, dict[str, Any]]:
    """Return how the lines of a panel look: a colour and a pattern each, references thick and grey."""
    looks: dict[str, dict[str, Any]] = {}
    coloured = [name for name in names if not contenders[name].is_reference]
    if len(coloured) > len(LINES) * len(DASHES):
        most = f"no more than {len(LINES) * len(DASHES)} lines can be told apart"
        raise UserError(f"{len(coloured)} contenders share a panel, and {most}; give fewer, or draw losses-of-runs")
    for index, name in enumerate(coloured):
        pattern = DASHES[index // len(LINES)]
        looks[name] = {"color": LINES[index % len(LINES)], "linestyle": pattern, "linewidth": 1.0}
    for index, name in enumerate(name for name in names if contenders[name].is_reference):
        looks[name] = {**_GREY, "linestyle": DASHES[index % len(DASHES)]}
    return looks


def _draw(axes: Axes, lines: Sequence[LossLine], looks: Mapping[str, dict[str, Any]]) -> None:
    for line in lines:
        look = looks[line.contender.name]
        epochs, colour = number_epochs(line.mean), look["color"]
        # A line of one epoch would be invisible without a marker.
        axes.plot(epochs, line.mean, marker="." if len(epochs) == 1 else None, **look)
        if (line.high > line.low).any():
            axes.fill_between(epochs, line.low, line.high, color=colour, alpha=0.18, linewidth=0)
        if line.chosen and line.chosen <= len(epochs):
            height = line.mean[line.chosen - 1]
            axes.plot(line.chosen, height, "o", color=colour, markersize=4, markeredgecolor="white", zorder=3)
        finite = np.flatnonzero(np.isfinite(line.mean))
        if len(finite) and finite[-1] + 1 < len(epochs):
            axes.plot(finite[-1] + 1, line.mean[finite[-1]], "x", color=colour, markersize=4, zorder=3)


def _draw_mean(axes: Axes, lines: Sequence[LossLine], cohort: int) -> list[Line2D]:
    """Draw lines thin and their mean thick; return the thick one."""
    if not lines:
        return []
    colour = COHORTS.get(cohort, OTHER)
    longest = max(len(line.mean) for line in lines)
    # Without the losses of those that have ended, the mean would jump whenever an LLM with a high loss ends.
    rows = np.stack([carry_last(line.mean, longest) for line in lines])
    for line in lines:
        axes.plot(number_epochs(line.mean), line.mean, color=colour, linewidth=0.5, alpha=0.5)
    mean, whole = rows.mean(axis=0), min(int(np.isfinite(line.mean).sum()) for line in lines)
    drawn = axes.plot(
        number_epochs(mean)[:whole], mean[:whole], color=colour, linewidth=2, label=f"{cohort} ({len(lines)} LLMs)"
    )
    # The dashed line begins at the last epoch of the solid one, so that there is no gap.
    start = max(whole - 1, 0)
    axes.plot(number_epochs(mean)[start:], mean[start:], color=colour, linewidth=1.4, linestyle=DASHES[1])
    return drawn


def _legend(axes: Axes, looks: Mapping[str, dict[str, Any]], contenders: Mapping[str, Contender]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=contenders[name].label, **look) for name, look in looks.items()]
    axes.set_axis_off()
    axes.legend(handles=handles, loc="upper left", ncols=2, fontsize=SMALL, handlelength=2.2, borderaxespad=0)


def _notes(lines: Mapping[str, Sequence[LossLine]], curves: Sequence[Curve], scale: str) -> list[str]:
    """Return what the marks mean that are in the figure."""
    seeds, folds = len({curve.seed for curve in curves}), len({curve.fold for curve in curves})
    averaged = " and ".join(f"{count} {noun}" for count, noun in ((seeds, "seeds"), (folds, "folds")) if count > 1)
    every = [line for on_dataset in lines.values() for line in on_dataset]
    notes = [f"Line: mean over {averaged}; band: lowest to highest." if averaged else "One seed.", _DIFFER]
    if any(line.chosen and line.chosen <= len(line.mean) for line in every):
        notes.append("Dot: the epoch at which the pipeline itself would have stopped.")
    short = {line.contender.name for line in every if line.chosen and line.chosen > len(line.mean)}
    if short:
        notes.append(f"Cut short: {len(short)} pipelines ask for more epochs than they were given.")
    if any(not np.isfinite(line.mean).all() for line in every):
        notes.append("Cross: from here the loss is no number.")
    return [*notes, _left_out(lines, scale)]


def _left_out(lines: Mapping[str, Sequence[LossLine]], scale: str) -> str:
    below = scale == "log" and any((line.low <= 0).any() for on_dataset in lines.values() for line in on_dataset)
    return "Losses of zero and below cannot be drawn on this scale and are left out." if below else ""
