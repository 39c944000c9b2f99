"""Which cases are worth showing, and the masks that runs predict of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from llmseg.data.store import FOREGROUND, Store
from llmseg.errors import UserError, nearest, shorten_list
from llmseg.evaluation.evaluate import THRESHOLD
from llmseg.figures.tiles import PredictedCase
from llmseg.stats.table import contender_names
from llmseg.study.results import ContenderRun, Results, choose_run

if TYPE_CHECKING:
    import numpy as np


def typical_cases(results: Results) -> dict[str, list[str]]:
    """Return for every dataset the case with the median Dice score, averaged over contenders and seeds.

    Args:
        results: Scores, as :func:`llmseg.study.read_results` returns them.

    Returns:
        A case by dataset, in a list; of an even number of cases, the lower one of the two in the middle.

    Raises:
        UserError: There are no scores.

    Example:
        >>> from llmseg.stats import simulate
        >>> typical_cases(Results(simulate(datasets=1, cases=5), ()))
        {'dataset-1': ['case-04']}
    """
    frame = results.scores.select(measure="dice", phase="test").frame
    cases = {}
    for dataset, part in frame.groupby("dataset", sort=False):
        means = part.groupby("case")["value"].mean().sort_values(kind="stable")
        cases[str(dataset)] = [str(means.index[(len(means) - 1) // 2])]
    return cases


def chosen_cases(results: Results, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return cases by dataset, for the datasets that have scores of them.

    Args:
        results: Scores, as :func:`llmseg.study.read_results` returns them.
        ids: Ids of the cases.

    Raises:
        UserError: There are no scores, or none of a case.

    Example:
        >>> from llmseg.stats import simulate
        >>> chosen_cases(Results(simulate(datasets=2, cases=[5, 7]), ()), ["case-06"])
        {'dataset-2': ['case-06']}
    """
    frame = results.scores.frame[["dataset", "case"]].drop_duplicates()
    for id in ids:
        if id not in set(frame["case"]):
            raise UserError(
                f"no case '{id}'{nearest(id, frame['case'])}; there are {shorten_list(frame['case'].unique())}"
            )
    chosen = frame[frame["case"].isin(list(ids))]
    return {str(name): part["case"].tolist() for name, part in chosen.groupby("dataset", sort=False)}


def predict_cases(results: Results, stores: Sequence[Store], cases: Mapping[str, Sequence[str]]) -> list[PredictedCase]:
    """Predict cases by every contender's first run on their dataset; of folds, by the one that held a case out.

    Args:
        results: Runs, as :func:`llmseg.study.read_results` returns them.
        stores: The stores of all the datasets, see :meth:`llmseg.study.Results.select_stores`.
        cases: Ids of the cases, by dataset.

    Raises:
        UserError: There are no runs, or a store lacks a case or is not in the state it had in training.

    Example:
        >>> from llmseg.study import read_results
        >>> results = read_results(["studies/skin"])  # doctest: +SKIP
        >>> predicted = predict_cases(results, [store], typical_cases(results))  # doctest: +SKIP
    """
    runs = _list_runs(results)
    stores_by_name = {store.name: store for store in stores}
    first_runs: dict[tuple[str, str], list[ContenderRun]] = {}
    for run in runs:
        of_contender = first_runs.setdefault((run.dataset, run.contender), [])
        if not of_contender or (run.fold and run.seed == of_contender[0].seed):
            of_contender.append(run)
    return [
        predicted
        for dataset, ids in cases.items()
        for (of_dataset, _), runs in first_runs.items()
        if of_dataset == dataset
        for run in runs
        for predicted in _predict(run, stores_by_name[dataset], [id for id in ids if choose_run(runs, id) is run])
    ]


def predict_worst(results: Results, stores: Sequence[Store]) -> list[PredictedCase]:
    """Predict every contender's case with its smallest Dice score, by the run that has this score.

    Args:
        results: Scores and runs, as :func:`llmseg.study.read_results` returns them.
        stores: As for :func:`predict_cases`.

    Returns:
        A case per contender; contenders without a run, such as masks from elsewhere, are left out.

    Raises:
        UserError: As :func:`predict_cases`, or there are no scores.

    Example:
        >>> from llmseg.study import read_results
        >>> predicted = predict_worst(read_results(["studies/skin"]), [store])  # doctest: +SKIP
    """
    frame = results.scores.select(measure="dice", phase="test").frame
    frame = frame.assign(contender=contender_names(frame))
    frame = frame.sort_values(["value", "dataset", "case", "seed"], kind="stable")
    runs: dict[tuple[str, str, int], list[ContenderRun]] = {}
    for one in _list_runs(results):
        runs.setdefault((one.contender, one.dataset, one.seed), []).append(one)
    stores_by_name = {store.name: store for store in stores}
    predicted = []
    for contender, rows in frame.groupby("contender", sort=False):
        worst = rows.iloc[0]
        run = choose_run(runs.get((str(contender), worst["dataset"], worst["seed"]), ()), worst["case"])
        if run is not None:
            predicted += _predict(run, stores_by_name[worst["dataset"]], [worst["case"]])
    return predicted


def _list_runs(results: Results) -> list[ContenderRun]:
    """Return the runs that can predict."""
    runs = [run for run in results.runs if run.has_weights]
    if not runs:
        raise UserError("the folders hold no runs, and masks are predicted by runs; name a study, or run folders")
    return runs


def _predict(run: ContenderRun, store: Store, ids: Sequence[str]) -> list[PredictedCase]:
    from llmseg.evaluation.measures import measure_case
    from llmseg.prediction.predict import predict_image

    if not ids:
        return []
    run.check(store)
    net, recipe = run.run.load_net(), run.run.recipe
    predictions = []
    for id in ids:
        case = store.read(id)
        predicted: np.ndarray = predict_image(net, recipe, case.image) > THRESHOLD
        truth = case.mask > FOREGROUND
        dice = measure_case(predicted, truth, tolerance=0.0)["dice"]
        predictions.append(PredictedCase(run.contender, run.dataset, id, run.seed, case.image, truth, predicted, dice))
    return predictions
