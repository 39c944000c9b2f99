"""The kinds of figures, by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.figures.boxes import box_plots, clouds, run_boxes
from llmseg.figures.canvas import check_replaceable, save
from llmseg.figures.curves import Loss, cohort_curves, loss_curves, run_curves
from llmseg.figures.errors import error_bars
from llmseg.figures.places import podium
from llmseg.figures.predictions import chosen_cases, predict_cases, predict_worst, typical_cases
from llmseg.figures.published import published_ranks
from llmseg.figures.ranks import critical_difference, significance, stability
from llmseg.figures.tiles import prediction_panels, worst_cases
from llmseg.files import clean_name, make_folder
from llmseg.stats.rank_tests import friedman
from llmseg.stats.ranking import rank
from llmseg.stats.ranking_rules import Rule
from llmseg.stats.table import Table
from llmseg.study.published.comparison import compare_with_published
from llmseg.study.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What may be chosen for a figure; a kind of figure uses what concerns it.

    Attributes:
        measure: Which measure.
        loss: Which loss, for curves of losses.
        rule: Which rule, for rankings, see :func:`llmseg.stats.rank`.
        references: Contenders to show as references, beside those that the zoo knows as such.
        cases: Ids of cases to predict; empty takes one case of every dataset, that of median Dice.
        stores: Stores with the images, for figures that show them.
        prepared_as: Which dataset of the catalogue a dataset is, by its name, where its store does not say it.

    Example:
        >>> Choices(measure="hd95", references=("nnunet",)).measure
        'hd95'
    """

    measure: str = "dice"
    loss: Loss = "validation"
    rule: Rule = "mean-then-rank"
    references: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    stores: tuple[Store, ...] = field(default=())
    prepared_as: Mapping[str, str] = field(default_factory=dict)

    def references_among(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the references among some names: a reference may have scores and no run."""
        return tuple(name for name in self.references if name in names)


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Attributes:
        shows: What it shows, in a few words.
        draw: The function that draws it.
        one_dataset: Whether a figure shows one dataset only.

    Example:
        >>> [name for name, kind in KINDS.items() if kind.one_dataset]
        ['podium']
    """

    shows: str
    draw: Callable[[Results, Choices], Figure]
    one_dataset: bool = False


def _complete(results: Results, choices: Choices) -> Table:
    """Return the scores of cases that all contenders have; the table's remarks say what was left out."""
    table = results.scores
    return table.complete(choices.measure) if len(table.missing(choices.measure)) else table


# Functions of figures take tables or curves; a kind hands them what folders hold. The next three make kinds of them.
def _of_scores(figure: Callable[..., Figure]) -> Callable[[Results, Choices], Figure]:
    return lambda results, choices: figure(results.scores, measure=choices.measure, references=choices.references)


def _of_complete_scores(figure: Callable[..., Figure]) -> Callable[[Results, Choices], Figure]:
    return lambda results, choices: figure(
        _complete(results, choices), measure=choices.measure, references=choices.references
    )


def _of_losses(figure: Callable[..., Figure], **fixed: str) -> Callable[[Results, Choices], Figure]:
    return lambda results, choices: figure(
        results.curves, loss=choices.loss, references=_references_with_runs(results, choices), **fixed
    )


def _references_with_runs(results: Results, choices: Choices) -> tuple[str, ...]:
    return choices.references_among([run.contender for run in results.runs])


def _errors(results: Results, choices: Choices) -> Figure:
    return error_bars()


def _panels(results: Results, choices: Choices) -> Figure:
    results = results.select_stores(choices.stores)
    cases = chosen_cases(results, choices.cases) if choices.cases else typical_cases(results)
    predicted = predict_cases(results, choices.stores, cases)
    return prediction_panels(predicted, references=_references_with_runs(results, choices))


def _worst(results: Results, choices: Choices) -> Figure:
    results = results.select_stores(choices.stores)
    cases = results.scores.frame.groupby("dataset", sort=False)["case"].nunique()
    out_of = "Out of " + ", ".join(f"{count} cases of {name}" for name, count in cases.items()) + "."
    predicted = predict_worst(results, choices.stores)
    return worst_cases(predicted, references=_references_with_runs(results, choices), count=out_of)


def _critical_difference(results: Results, choices: Choices) -> Figure:
    test = friedman(_complete(results, choices), measure=choices.measure)
    return critical_difference(test, references=choices.references)


def _stability(results: Results, choices: Choices) -> Figure:
    ranking = rank(_complete(results, choices), measure=choices.measure, rule=choices.rule)
    return stability(ranking, references=choices.references)


def _published(results: Results, choices: Choices) -> Figure:
    return published_ranks(compare_with_published(results, prepared_as=choices.prepared_as, stores=choices.stores))


KINDS = {
    "boxes": Kind("scores of every contender as boxes, a panel per dataset", _of_scores(box_plots)),
    "clouds": Kind("every case as a dot, with densities (raincloud plots)", _of_scores(clouds)),
    "boxes-of-runs": Kind("scores of repeated generations, such as gpt-4o@run-03, as boxes", _of_scores(run_boxes)),
    "losses": Kind("loss over epochs, a row per dataset, a column per cohort", _of_losses(loss_curves)),
    "losses-log": Kind("the same on a logarithmic scale", _of_losses(loss_curves, scale="log")),
    "losses-of-cohorts": Kind("mean loss of the cohorts over epochs", _of_losses(cohort_curves, scale="log")),
    "losses-of-runs": Kind("loss of repeated generations over epochs", _of_losses(run_curves)),
    "errors": Kind("errors in the code of the study's models by kind, as published; needs no folders", _errors),
    "panels": Kind("masks of all contenders on the same cases; needs --data", _panels),
    "worst": Kind("the worst case of every contender; needs --data", _worst),
    "critical-difference": Kind("mean ranks over datasets, and which are too close", _critical_difference),
    "stability": Kind("ranks on resampled cases", _stability),
    "podium": Kind(
        "who takes which place on how many cases of a dataset", _of_complete_scores(podium), one_dataset=True
    ),
    "significance": Kind("who is better than whom", _of_complete_scores(significance)),
    "published": Kind("published ranks and Dice beside yours, on the study's datasets", _published),
}
"""The kinds of figures by name."""


def draw(kind: str, results: Results, choices: Choices | None = None) -> Figure:
    """Draw a figure of the studies, runs and evaluations in some folders.

    Args:
        kind: One of :data:`KINDS`.
        results: What folders hold, as :func:`llmseg.study.read_results` returns it.
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
    return KINDS[kind].draw(results, choices or Choices())


def check_kind(name: str) -> None:
    """Refuse a name that is not in :data:`KINDS`.

    Raises:
        UserError: There is no kind of that name; the message names the nearest one.

    Example:
        >>> check_kind("podiun")
        Traceback (most recent call last):
        llmseg.errors.UserError: no figure 'podiun'; did you mean 'podium'?; there are boxes, clouds, boxes-of-runs, ...
    """
    if name not in KINDS:
        raise UserError(f"no figure '{name}'{nearest(name, KINDS)}; there are {', '.join(KINDS)}")


def draw_all(
    results: Results, folder: str | Path, choices: Choices | None = None, *, extension: str = "pdf"
) -> tuple[list[Path], dict[str, str]]:
    """Draw every figure that the data allow into a folder; a file has the name of its kind.

    Kinds that show one dataset are drawn for each, with the name of the dataset behind that of the kind.

    Args:
        results: What folders hold, as :func:`llmseg.study.read_results` returns it.
        folder: The folder to write into; it is made if it is not there.
        choices: What else to choose.
        extension: ``pdf``, ``svg`` or ``png``.

    Returns:
        The files, and the reason why each other figure was left out, by its name.

    Raises:
        UserError: There is no such format, a file of that name is no figure of ours, or the disk is full or refuses
            the folder.

    Example:
        >>> files, left_out = draw_all(Results(None, ()), "figures")  # doctest: +SKIP
        >>> files, left_out["boxes"]  # doctest: +SKIP
        ([PosixPath('figures/errors.pdf')], 'the folders hold no scores; ...')
    """
    datasets = list(results.table.datasets) if results.table else []
    wanted = {
        name if dataset is None else f"{name}-{clean_name(dataset, also='-_.')}": (name, dataset)
        for name, kind in KINDS.items()
        for dataset in (datasets if kind.one_dataset and len(datasets) > 1 else [None])
    }
    for name in wanted:
        check_replaceable(Path(folder) / f"{name}.{extension}")
    make_folder(Path(folder))
    files, left_out = [], {}
    for name, (kind, dataset) in wanted.items():
        try:
            figure = draw(kind, results.select_datasets(dataset) if dataset else results, choices)
        except UserError as error:
            left_out[name] = str(error)
            continue
        files.append(save(figure, Path(folder) / f"{name}.{extension}"))
    return files, left_out
