"""Losses over epochs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from llmseg.errors import UserError, nearest
from llmseg.figures.axes import Scale, scaled
from llmseg.figures.canvas import canvas, note, panels, styled
from llmseg.figures.contenders import Contender, by_cohort, cohort_title, contenders
from llmseg.figures.style import COHORTS, DASHES, DOUBLE, GREY, LINES, OTHER, SINGLE, SMALL
from llmseg.study.results import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Loss = Literal["train", "validation"]

_DIFFER = "Pipelines have different loss functions: compare shapes, not heights."
_NAMES = {"train": "Training", "validation": "Validation"}


@dataclass(frozen=True, eq=False)
class _Line:
    """Losses of a contender on a dataset, over seeds: mean and extremes, float ``[E]``."""

    name: str
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chosen: int | None


@styled
def loss_curves(
    curves: Sequence[Curve], *, loss: Loss = "validation", scale: Scale = "linear", references: Sequence[str] = ()
) -> Figure:
    """Draw the loss of every contender over epochs: a row per dataset, a column per cohort, references in each.

    A line is the mean over seeds, its band their extremes. A dot marks the epoch at which a pipeline itself would have
    stopped, where the training had another number of epochs. A cross marks where a loss stops being a number.

    Args:
        curves: The trainings.
        loss: ``train`` or ``validation``.
        scale: ``linear`` or ``log``, which leaves out losses that are not positive.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Raises:
        UserError: There are no curves, or an option is none of those above.
    """
    lines, known = _lines(curves, loss, scale), contenders({one.contender: 0 for one in curves}, references)
    columns = by_cohort(known)
    longest = -(-max(len(names) for names in columns.values()) // 2)
    width, legend = SINGLE if len(columns) == 1 else DOUBLE, 0.13 * longest
    figure = canvas(width, 0.6 + 1.15 * len(lines) + legend)
    grid = figure.add_gridspec(len(lines) + 1, len(columns), height_ratios=[*[0.9] * len(lines), legend])
    axes = grid.subplots(squeeze=False, sharey="row")
    for row, (dataset, found) in zip(axes[:-1], lines.items(), strict=True):
        for panel, (cohort, names) in zip(row, columns.items(), strict=True):
            _draw(panel, [one for one in found if one.name in names], _looks(names, known))
            if panel.get_subplotspec().is_first_row():
                panel.set_title(cohort_title(cohort) if len(columns) > 1 or cohort else "", loc="left")
        row[0].set_ylabel(f"{textwrap.fill(dataset, 16)}\n{_NAMES[loss]} loss")
    scaled(axes[:-1].flat, scale)
    for panel, below, names in zip(axes[-2], axes[-1], columns.values(), strict=True):
        panel.set_xlabel("Epoch")
        _legend(below, _looks(names, known), known)
    note(figure, *_notes(lines, curves, scale))
    return figure


@styled
def cohort_curves(
    curves: Sequence[Curve], *, loss: Loss = "validation", scale: Scale = "linear", references: Sequence[str] = ()
) -> Figure:
    """Draw the mean loss of each cohort over epochs, a panel per dataset, with thin lines for single LLMs.

    Every LLM counts once, by its pipeline of the study; repeated generations, other variants and what lies beside the
    study are left out. A mean is solid while all LLMs of the cohort train, and dashed after the first has ended.

    Raises:
        UserError: As :func:`loss_curves`, or no contender is a pipeline of the study.
    """
    lines, known = _lines(curves, loss, scale), contenders({one.contender: 0 for one in curves}, references)
    cohorts = sorted({one.cohort for one in known.values() if one.llm and one.cohort})
    if not cohorts:
        raise UserError(f"no LLM with a cohort among {', '.join(known)}; they are the pipelines that llmseg list shows")
    figure, axes = panels(len(lines), 1.7, extra=0.5)
    for panel, (dataset, found) in zip(axes, lines.items(), strict=True):
        for cohort in cohorts:
            _mean(panel, [one for one in found if known[one.name].llm and known[one.name].cohort == cohort], cohort)
        reference = [one for one in found if known[one.name].reference]
        for place, one in enumerate(reference):
            label = known[one.name].label
            dashes = DASHES[place % len(DASHES)]
            panel.plot(_epochs(one.mean), one.mean, color=GREY, linewidth=1.6, linestyle=dashes, label=label)
        panel.set_title(dataset, loc="left")
        panel.set_xlabel("Epoch")
        panel.set_ylabel(f"{_NAMES[loss]} loss")
    scaled(axes, scale)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), handlelength=1.8)
    thick = "Thick: mean over LLMs; thin: single LLMs, mean over seeds."
    dashed = "Dashed: the first LLM has ended; from there the last loss of those that ended counts."
    others = sum(not one.llm and not one.reference for one in known.values())
    beside = f"Left out: {others} that repeat or vary an LLM, or are from outside the study." if others else ""
    note(figure, thick, dashed, _DIFFER, beside, _left_out(lines, scale))
    return figure


@styled
def run_curves(
    curves: Sequence[Curve], *, loss: Loss = "validation", scale: Scale = "log", references: Sequence[str] = ()
) -> Figure:
    """Draw the losses of repeated generations of a model: a column per model, a row per dataset, references thick.

    Args:
        curves: With contenders such as ``gpt-4o@run-03``; others that are no references are left out.
        loss: As for :func:`loss_curves`.
        scale: As for :func:`loss_curves`.
        references: As for :func:`loss_curves`.

    Raises:
        UserError: There are no repeated generations, or as :func:`loss_curves`.
    """
    lines, known = _lines(curves, loss, scale), contenders({one.contender: 0 for one in curves}, references)
    models = sorted({one.model for one in known.values() if one.model})
    if not models:
        raise UserError("there are no repeated generations, such as gpt-4o@run-03; compare 'gpt-4o@run-*'")
    figure = canvas(SINGLE if len(models) == 1 else DOUBLE, 0.8 + 1.7 * len(lines))
    axes = figure.subplots(len(lines), len(models), squeeze=False, sharey="row")
    for row, (dataset, found) in zip(axes, lines.items(), strict=True):
        for letter, panel, model in zip("abcdefghij", row, models, strict=False):
            runs = [one for one in found if known[one.name].model == model]
            _draw(panel, [one for one in found if known[one.name].reference], dict.fromkeys(known, _GREY))
            for one in runs:
                panel.plot(_epochs(one.mean), one.mean, color=known[one.name].colour, linewidth=0.7)
            label = contenders([model])[model].label
            panel.set_title(f"{letter}  {label}, {len(runs)} generations", loc="left")
            panel.set_xlabel("Epoch")
        row[0].set_ylabel(f"{textwrap.fill(dataset, 16)}\n{_NAMES[loss]} loss")
    scaled(axes.flat, scale)
    thick = [one.label for one in known.values() if one.reference]
    note(figure, "Line: a generation, mean over seeds.", f"Thick, grey: {', '.join(thick)}." if thick else "", _DIFFER)
    return figure


_GREY: dict[str, Any] = {"color": GREY, "linestyle": "-", "linewidth": 1.8}


def _lines(curves: Sequence[Curve], loss: str, scale: str) -> dict[str, list[_Line]]:
    """Return a line per contender, by dataset."""
    for what, given, allowed in (("loss", loss, get_args(Loss)), ("scale", scale, get_args(Scale))):
        if given not in allowed:
            raise UserError(f"no {what} '{given}'{nearest(given, allowed)}; there are {', '.join(allowed)}")
    if not curves:
        raise UserError("there are no trainings to draw; name folders that hold runs")
    found: dict[str, list[_Line]] = {}
    for dataset, name in dict.fromkeys((one.dataset, one.contender) for one in curves):
        same = [one for one in curves if (one.dataset, one.contender) == (dataset, name)]
        found.setdefault(dataset, []).append(_line(name, [getattr(one, loss) for one in same], same[0].chosen))
    return found


def _line(name: str, losses: Sequence[np.ndarray], chosen: int | None) -> _Line:
    rows = np.full((len(losses), max(map(len, losses))), np.nan)
    for row, one in zip(rows, losses, strict=True):
        row[: len(one)] = np.where(np.isfinite(one), one, np.nan)
    some = np.isfinite(rows).any(axis=0)
    mean, low, high = (np.full(rows.shape[1], np.nan) for _ in range(3))
    mean[some], low[some], high[some] = (of(rows[:, some], axis=0) for of in (np.nanmean, np.nanmin, np.nanmax))
    return _Line(name, mean, low, high, chosen)


def _looks(names: Sequence[str], known: Mapping[str, Contender]) -> dict[str, dict[str, Any]]:
    """Return how the lines of a panel look: a colour and a pattern each, references thick and grey."""
    looks: dict[str, dict[str, Any]] = {}
    own = [name for name in names if not known[name].reference]
    if len(own) > len(LINES) * len(DASHES):
        most = f"no more than {len(LINES) * len(DASHES)} lines can be told apart"
        raise UserError(f"{len(own)} contenders share a panel, and {most}; give fewer, or draw losses-of-runs")
    for place, name in enumerate(own):
        pattern = DASHES[place // len(LINES) % len(DASHES)]
        looks[name] = {"color": LINES[place % len(LINES)], "linestyle": pattern, "linewidth": 1.0}
    for place, name in enumerate(name for name in names if known[name].reference):
        looks[name] = {**_GREY, "linestyle": DASHES[place % len(DASHES)]}
    return looks


def _draw(axes: Axes, lines: Sequence[_Line], looks: Mapping[str, dict[str, Any]]) -> None:
    for one in lines:
        epochs, colour = _epochs(one.mean), looks[one.name]["color"]
        axes.plot(epochs, one.mean, marker="." if len(epochs) == 1 else None, **looks[one.name])
        if (one.high > one.low).any():
            axes.fill_between(epochs, one.low, one.high, color=colour, alpha=0.18, linewidth=0)
        if one.chosen and one.chosen <= len(epochs):
            axes.plot(
                one.chosen, one.mean[one.chosen - 1], "o", color=colour, markersize=4, markeredgecolor="white", zorder=3
            )
        last = np.flatnonzero(np.isfinite(one.mean))
        if len(last) and last[-1] + 1 < len(epochs):
            axes.plot(last[-1] + 1, one.mean[last[-1]], "x", color=colour, markersize=4, zorder=3)


def _mean(axes: Axes, lines: Sequence[_Line], cohort: int) -> None:
    if not lines:
        return
    colour = COHORTS.get(cohort, OTHER)
    longest = max(len(one.mean) for one in lines)
    rows = np.stack([_carried(one.mean, longest) for one in lines])
    for one in lines:
        axes.plot(_epochs(one.mean), one.mean, color=colour, linewidth=0.5, alpha=0.5)
    mean, whole = rows.mean(axis=0), min(int(np.isfinite(one.mean).sum()) for one in lines)
    axes.plot(_epochs(mean)[:whole], mean[:whole], color=colour, linewidth=2, label=f"{cohort} ({len(lines)} LLMs)")
    start = max(whole - 1, 0)
    axes.plot(_epochs(mean)[start:], mean[start:], color=colour, linewidth=1.4, linestyle=DASHES[1])


def _carried(losses: np.ndarray, length: int) -> np.ndarray:
    """Return losses for a number of epochs; where there is none, the last that is a number."""
    rows = np.full(length, np.nan)
    rows[: len(losses)] = losses
    last = np.maximum.accumulate(np.where(np.isfinite(rows), np.arange(length), 0))
    carried: np.ndarray = rows[last]
    return carried


def _epochs(losses: np.ndarray) -> np.ndarray:
    return np.arange(1, len(losses) + 1)


def _legend(axes: Axes, looks: Mapping[str, dict[str, Any]], known: Mapping[str, Contender]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=known[name].label, **look) for name, look in looks.items()]
    axes.set_axis_off()
    axes.legend(handles=handles, loc="upper left", ncols=2, fontsize=SMALL, handlelength=2.2, borderaxespad=0)


def _notes(lines: Mapping[str, Sequence[_Line]], curves: Sequence[Curve], scale: str) -> list[str]:
    seeds = len({one.seed for one in curves})
    every = [one for found in lines.values() for one in found]
    said = [f"Line: mean over {seeds} seeds; band: lowest to highest." if seeds > 1 else "One seed.", _DIFFER]
    if any(one.chosen and one.chosen <= len(one.mean) for one in every):
        said.append("Dot: the epoch at which the pipeline itself would have stopped.")
    short = {one.name for one in every if one.chosen and one.chosen > len(one.mean)}
    if short:
        said.append(f"Cut short: {len(short)} pipelines ask for more epochs than they were given.")
    if any(not np.isfinite(one.mean).all() for one in every):
        said.append("Cross: from here the loss is no number.")
    return [*said, _left_out(lines, scale)]


def _left_out(lines: Mapping[str, Sequence[_Line]], scale: str) -> str:
    below = scale == "log" and any((one.low <= 0).any() for found in lines.values() for one in found)
    return "Losses of zero and below cannot be drawn on this scale and are left out." if below else ""
