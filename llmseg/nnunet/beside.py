"""nnU-Net as one more contender of a study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from llmseg.data.folds import as_folds, digest_folds
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.evaluation.evaluate import TOLERANCE
from llmseg.nnunet.equal import equal_images
from llmseg.nnunet.importing import ImportedTraining
from llmseg.nnunet.preparation import prepare_nnunet
from llmseg.nnunet.run import run_nnunet
from llmseg.study.launching.cells import fold_suffix, number_folds
from llmseg.study.launching.opening import open_design
from llmseg.study.study import BESIDE, Study


def run_beside(
    study: Study, store: Store, *, holdout: Holdout | Sequence[Holdout], device: str = "auto", progress: bool = True
) -> tuple[ImportedTraining, ...]:
    """Train nnU-Net beside the recipes of a study, to as many images as the first of them sees.

    Every seed, and every fold, is a training of its own; in folds, all see the same number of images, the mean of those
    of the recipe. It trains and validates on the cases on which the first recipe does with that seed, and is scored on
    the study's held-out cases by the same evaluator. All lies in the folder ``beside`` of the study, where
    :func:`llmseg.study.read_results`, and so figures and reports, find the scores.

    The same call made again continues an interrupted one.

    Args:
        study: A finished study.
        store: The cases of the study.
        holdout: The test cases of the study, or its folds.
        device: As for :func:`llmseg.nnunet.train_nnunet`.
        progress: Whether to show what is done.

    Returns:
        The results, one per seed and fold.

    Raises:
        UserError: Store, held-out cases or tolerance are not those of the study, or as
            :func:`llmseg.nnunet.run_nnunet`.

    Example:
        >>> variants = llmseg.study.pipelines(["gpt-o3", "gpt-4o"])  # doctest: +SKIP
        >>> study = llmseg.run_study(None, variants, store, "compared", holdout=holdout)  # doctest: +SKIP
        >>> run_beside(study, store, holdout=holdout)[0].record["dice"]  # doctest: +SKIP
        0.81
    """
    folds = as_folds(holdout)
    _check_same_cases(study, store, folds)
    numbered = {fold.digest: (fold, number) for fold, number in zip(folds, number_folds(len(folds)), strict=True)}
    results: list[ImportedTraining] = []
    runs = study.runs(study.variants[0])
    # Folds differ by a few cases. One budget for all, because nnU-Net's name has it, and it is one contender.
    cases = round(fmean(len(run.split.train) for run in runs))
    for run in runs:
        seed = run.record["seed"]
        fold, number = numbered[run.record["holdout"]]
        baseline = prepare_nnunet(
            store,
            study.folder / BESIDE / f"nnunet-seed{seed}{fold_suffix(number)}",
            holdout=fold,
            recipe=run.recipe,
            seed=seed,
            progress=progress,
        )
        budget = equal_images(run.recipe, cases)
        results += run_nnunet(baseline, store, [budget], seed=seed, device=device, progress=progress)
    return tuple(results)


def run_beside_studies(studies: Iterable[Study], *, device: str = "auto", progress: bool = True) -> None:
    """Train nnU-Net beside each of some studies, with the cases that it was begun with; see :func:`run_beside`.

    Raises:
        UserError: A study does not say where its cases are, they are not there any more, or as :func:`run_beside`.

    Example:
        >>> from llmseg.study import run_study_file
        >>> run_beside_studies(run_study_file("brain.toml", "studies/brain"))  # doctest: +SKIP
    """
    for study in studies:
        design = open_design(study.folder)
        run_beside(study, design.store, holdout=design.folds, device=device, progress=progress)


def _check_same_cases(study: Study, store: Store, folds: Sequence[Holdout]) -> None:
    record = study.record
    if record["store"]["digest"] != store.digest:
        raise UserError(f"{study.folder} is a study of another store than {store.name} is now; give that one")
    if record["holdout"] != digest_folds(folds):
        raise UserError(f"{study.folder} holds other test cases out; give the manifest of the study, or all its folds")
    # nnU-Net's masks are scored with the default tolerance, and NSD of two tolerances cannot be compared.
    if record.get("tolerance", TOLERANCE) != TOLERANCE:
        tolerance = f"has the tolerance {record['tolerance']:g}"
        raise UserError(f"{study.folder} {tolerance}, nnU-Net is scored with {TOLERANCE:g}; choose another --out")
