"""The kinds of figures, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.figures.boxes import box_plots, clouds, run_boxes
from llmseg.figures.canvas import save
from llmseg.figures.curves import Loss, cohort_curves, loss_curves, run_curves
from llmseg.figures.errors import error_bars
from llmseg.figures.predictions import chosen_cases, predict_cases, predict_worst, typical_cases
from llmseg.figures.ranks import critical_difference, podium, significance, stability
from llmseg.figures.tiles import prediction_panels, worst_cases
from llmseg.files import clean_name, make_folder
from llmseg.stats.rank_tests import friedman
from llmseg.stats.ranking import Rule, rank
from llmseg.stats.table import Table
from llmseg.study.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What may be chosen for a figure.

    Attributes:
        measure: Which measure.
        loss: Which loss of loss curves.
        rule: Which rule of rankings, see :func:`llmseg.stats.rank`.
        references: Contenders to show as references, beside those that the zoo knows as such.
        cases: Cases to predict; empty takes one of every dataset, that of median Dice.
        stores: Where the images are, for figures that show them.
    """

    measure: str = "dice"
    loss: Loss = "validation"
    rule: Rule = "mean-then-rank"
    references: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    stores: tuple[Store, ...] = field(default=())

    def among(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the references among names; those of the table need not have been trained here."""
        return tuple(name for name in self.references if name in names)


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Attributes:
        says: What it shows.
        draw: Makes it.
        alone: Whether it shows one dataset.
    """

    says: str
    draw: Callable[[Results, Choices], Figure]
    alone: bool = False


def _complete(found: Results, choices: Choices) -> Table:
    """Return the scores of cases that all contenders have; the table's remarks say what was left out."""
    table = found.scores
    return table.complete(choices.measure) if len(table.missing(choices.measure)) else table


def _spread(figure: Callable[..., Figure]) -> Callable[[Results, Choices], Figure]:
    """Let a function that draws how scores spread draw what folders hold."""
    return lambda found, choices: figure(found.scores, measure=choices.measure, references=choices.references)


def _over_epochs(figure: Callable[..., Figure], **fixed: str) -> Callable[[Results, Choices], Figure]:
    """Likewise for losses."""
    return lambda found, choices: figure(found.curves, loss=choices.loss, references=_trained(found, choices), **fixed)


def _trained(found: Results, choices: Choices) -> tuple[str, ...]:
    return choices.among(tuple(one.contender for one in found.runs))


def _errors(found: Results, choices: Choices) -> Figure:
    return error_bars()


def _panels(found: Results, choices: Choices) -> Figure:
    found = found.select_stores(choices.stores)
    cases = chosen_cases(found, choices.cases) if choices.cases else typical_cases(found)
    return prediction_panels(predict_cases(found, choices.stores, cases), references=_trained(found, choices))


def _worst(found: Results, choices: Choices) -> Figure:
    found = found.select_stores(choices.stores)
    cases = found.scores.frame.groupby("dataset", sort=False)["case"].nunique()
    count = "Out of " + ", ".join(f"{number} cases of {name}" for name, number in cases.items()) + "."
    return worst_cases(predict_worst(found, choices.stores), references=_trained(found, choices), count=count)


def _critical_difference(found: Results, choices: Choices) -> Figure:
    ranks = friedman(_complete(found, choices), measure=choices.measure)
    return critical_difference(ranks, references=choices.references)


def _stability(found: Results, choices: Choices) -> Figure:
    ranking = rank(_complete(found, choices), measure=choices.measure, rule=choices.rule)
    return stability(ranking, references=choices.references)


def _podium(found: Results, choices: Choices) -> Figure:
    return podium(_complete(found, choices), measure=choices.measure, references=choices.references)


def _significance(found: Results, choices: Choices) -> Figure:
    return significance(_complete(found, choices), measure=choices.measure, references=choices.references)


KINDS = {
    "boxes": Kind("scores of every contender as boxes, a panel per dataset", _spread(box_plots)),
    "clouds": Kind("every case as a dot, with densities (raincloud plots)", _spread(clouds)),
    "boxes-of-runs": Kind("scores of repeated generations, such as gpt-4o@run-03, as boxes", _spread(run_boxes)),
    "losses": Kind("loss over epochs, a row per dataset, a column per cohort", _over_epochs(loss_curves)),
    "losses-log": Kind("the same on a logarithmic scale", _over_epochs(loss_curves, scale="log")),
    "losses-of-cohorts": Kind("mean loss of the cohorts over epochs", _over_epochs(cohort_curves, scale="log")),
    "losses-of-runs": Kind("loss of repeated generations over epochs", _over_epochs(run_curves)),
    "errors": Kind("errors in the code of the study's models by kind, as published; needs no folders", _errors),
    "panels": Kind("masks of all contenders on the same cases; needs --data", _panels),
    "worst": Kind("the worst case of every contender; needs --data", _worst),
    "critical-difference": Kind("mean ranks over datasets, and which are too close", _critical_difference),
    "stability": Kind("ranks on resampled cases", _stability),
    "podium": Kind("who takes which place on how many cases of a dataset", _podium, alone=True),
    "significance": Kind("who is better than whom", _significance),
}
"""The kinds by name."""


def draw(kind: str, found: Results, choices: Choices | None = None) -> Figure:
    """Draw a figure of what folders hold.

    Args:
        kind: One of :data:`KINDS`.
        found: As :func:`llmseg.study.results.read_results` returns it.
        choices: What else to choose.

    Raises:
        UserError: There is no such kind, or the folders do not hold what it shows.

    Example:
        >>> figure = draw("errors", Results(None, ()))
        >>> draw("box", Results(None, ()))
        Traceback (most recent call last):
        llmseg.errors.UserError: no figure 'box'; did you mean 'boxes'?; there are boxes, clouds, boxes-of-runs, ...
    """
    check_kind(kind)
    return KINDS[kind].draw(found, choices or Choices())


def check_kind(name: str) -> None:
    """Refuse a name that no kind has.

    Raises:
        UserError: It has none.
    """
    if name not in KINDS:
        raise UserError(f"no figure '{name}'{nearest(name, KINDS)}; there are {', '.join(KINDS)}")


def draw_all(
    found: Results, folder: str | Path, choices: Choices | None = None, *, extension: str = "pdf"
) -> tuple[list[Path], dict[str, str]]:
    """Draw every figure that the data allow into a folder, called like its kind.

    Figures of one dataset are drawn for each, with the dataset's name behind that of the kind.

    Args:
        found: As :func:`llmseg.study.results.read_results` returns it.
        folder: Where.
        choices: What else to choose.
        extension: ``pdf``, ``svg`` or ``png``.

    Returns:
        The files, and why others were left out, by name.

    Raises:
        UserError: There is no such format, or the disk is full or refuses the folder.
    """
    datasets = list(found.table.datasets) if found.table else []
    wanted = {
        name if dataset is None else f"{name}-{clean_name(dataset, also='-_.')}": (name, dataset)
        for name, kind in KINDS.items()
        for dataset in (datasets if kind.alone and len(datasets) > 1 else [None])
    }
    make_folder(Path(folder))
    files, left_out = [], {}
    for name, (kind, dataset) in wanted.items():
        try:
            figure = draw(kind, found.select_datasets(dataset) if dataset else found, choices)
        except UserError as error:
            left_out[name] = str(error)
            continue
        files.append(save(figure, Path(folder) / f"{name}.{extension}"))
    return files, left_out
