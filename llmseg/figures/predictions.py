"""Which cases are worth a look, and the masks that runs predict of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmseg.data.store import FOREGROUND, Store
from llmseg.errors import UserError, nearest
from llmseg.evaluation.evaluate import THRESHOLD
from llmseg.figures.tiles import Predicted
from llmseg.stats.table import contender_names
from llmseg.stats.words import shorten_list
from llmseg.study.results import ContenderRun, Results

if TYPE_CHECKING:
    import numpy as np


def typical_cases(found: Results) -> dict[str, list[str]]:
    """Return the case of every dataset whose mean Dice over contenders and seeds is the median one.

    Raises:
        UserError: There are no scores.
    """
    frame = found.scores.select(measure="dice", phase="test").frame
    cases = {}
    for dataset, part in frame.groupby("dataset", sort=False):
        means = part.groupby("case")["value"].mean().sort_values(kind="stable")
        cases[str(dataset)] = [str(means.index[(len(means) - 1) // 2])]
    return cases


def chosen_cases(found: Results, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the datasets that have scores of some cases, with those cases.

    Raises:
        UserError: There are no scores, or none of a case.
    """
    frame = found.scores.frame[["dataset", "case"]].drop_duplicates()
    for id in ids:
        if id not in set(frame["case"]):
            raise UserError(
                f"no case '{id}'{nearest(id, frame['case'])}; there are {shorten_list(frame['case'].unique())}"
            )
    chosen = frame[frame["case"].isin(list(ids))]
    return {str(name): part["case"].tolist() for name, part in chosen.groupby("dataset", sort=False)}


def predict_cases(found: Results, stores: Sequence[Store], cases: dict[str, list[str]]) -> list[Predicted]:
    """Predict cases by every contender's first run on their dataset.

    Args:
        found: The runs.
        stores: The stores of all the datasets, see :meth:`Results.select_stores`.
        cases: Cases of every dataset.

    Raises:
        UserError: There are no runs, or a store lacks a case or is in another state than in training.
    """
    by_name = {store.name: store for store in stores}
    first: dict[tuple[str, str], ContenderRun] = {}
    for one in found.runs:
        first.setdefault((one.dataset, one.contender), one)
    _some(first)
    return [
        drawn
        for dataset, ids in cases.items()
        for (where, _), one in first.items()
        if where == dataset
        for drawn in _predicted(one, by_name[dataset], ids)
    ]


def predict_worst(found: Results, stores: Sequence[Store]) -> list[Predicted]:
    """Predict every contender's case with its smallest Dice, by the run that has it.

    Raises:
        UserError: As :func:`predict_cases`, or there are no scores.
    """
    frame = found.scores.select(measure="dice", phase="test").frame
    frame = frame.assign(contender=contender_names(frame))
    frame = frame.sort_values(["value", "dataset", "case", "seed"], kind="stable")
    runs = {(one.contender, one.dataset, one.seed): one for one in found.runs}
    _some(runs)
    by_name, drawn = {store.name: store for store in stores}, []
    for contender, rows in frame.groupby("contender", sort=False):
        row = rows.iloc[0]
        one = runs.get((str(contender), row["dataset"], row["seed"]))
        if one is not None:
            drawn += _predicted(one, by_name[row["dataset"]], [row["case"]])
    return drawn


def _some(runs: object) -> None:
    if not runs:
        raise UserError("the folders hold no runs, and masks are predicted by runs; name a study, or run folders")


def _predicted(one: ContenderRun, store: Store, ids: Sequence[str]) -> list[Predicted]:
    from llmseg.evaluation.measures import measure_case
    from llmseg.prediction.predict import predict_image

    one.check(store)
    net, recipe = one.run.load_net(), one.run.recipe
    drawn = []
    for id in ids:
        case = store.read(id)
        predicted: np.ndarray = predict_image(net, recipe, case.image) > THRESHOLD
        truth = case.mask > FOREGROUND
        dice = measure_case(predicted, truth, tolerance=0.0)["dice"]
        drawn.append(Predicted(one.contender, one.dataset, id, one.seed, case.image, truth, predicted, dice))
    return drawn
