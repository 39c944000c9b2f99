"""The studies that a study file asks for: one per dataset, and one per pipeline of it where quirks are repaired."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from llmseg.data.folds import name_manifests
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe.given import change_all
from llmseg.recipe.quirks import get_quirk
from llmseg.recipe.recipe import Recipe
from llmseg.study.contenders import NNUNET, find_contenders
from llmseg.study.design import Design
from llmseg.study.file.study_file import HeldOut, StudyFile
from llmseg.study.plan import count_training_cases
from llmseg.study.variants import Variant, list_own_quirks, repairs


def make_designs(grid: StudyFile, out: str | Path, *, draw: bool = True, progress: bool = False) -> tuple[Design, ...]:
    """Open the datasets, and return the studies in the order in which they are trained.

    Every dataset has a folder of its own, ``OUT/DATASET``; with repairs, every pipeline has one in it.

    Args:
        grid: The content of the study file.
        out: Folder of everything.
        draw: Whether test cases are drawn where there are none yet. Otherwise no image is read, and other cases of
            about the same number stand for them, as a plan needs them.
        progress: Whether to show progress bars.

    Raises:
        UserError: A dataset is missing or cannot be read, two have one name, or a name stands for no pipeline.
    """
    missing = [dataset.missing for dataset in grid.datasets if dataset.missing]
    if missing:
        raise UserError("; ".join(missing))
    own = {variant.name: variant.recipe for variant in find_contenders(grid.pipelines)}
    if not own:
        raise UserError(f"{NNUNET} needs a pipeline beside it, which gives it cases and budget; name one")
    contenders = [Variant(name, change_all(recipe, grid.changes)) for name, recipe in own.items()]
    designs: list[Design] = []
    names: dict[str, str] = {}
    for dataset in grid.datasets:
        store = dataset.open()
        if store.name in names:
            both = f"datasets {names[store.name]} and {dataset.name} are both called {store.name} in tables"
            advice = "rename a folder or file" if dataset.synthetic is None else "take phantoms of another modality"
            raise UserError(f"{both}; {advice}")
        names[store.name] = dataset.name
        folder = Path(out) / dataset.name
        given = dataset.load_folds()
        for fold in given:
            fold.test(store)  # a plan says it, too, if they were drawn from another store
        folds = given or _find_kept(folder, store, grid.test)
        folds = folds or grid.test.draw(store, guess=not draw, progress=progress)
        rests = [fold.rest(store) for fold in folds]
        budgeted = tuple(Variant(item.name, _limit_images(item.recipe, grid, rests)) for item in contenders)
        designs += _divide(grid, folder, budgeted, own, store, folds)
    if not designs:
        raise UserError(f"no pipeline of the study has a quirk of its own to repair with repair = '{grid.repair}'")
    return tuple(designs)


def _find_kept(folder: Path, store: Store, test: HeldOut) -> tuple[Holdout, ...]:
    """Return the test cases with which the studies of a dataset were begun, so that no image is read once more."""
    asked = {"store": store.name, "store_digest": store.digest, "stratified": test.split == "grouped"}
    asked |= {"fraction": test.share, "split": test.split, "seed": test.seed}
    for study in (folder, *sorted(folder.glob("*/"))):
        paths = name_manifests(study, test.folds or 1)
        if all(path.is_file() for path in paths):
            kept = tuple(map(Holdout.load, paths))
            if all(getattr(fold, name) == value for fold in kept for name, value in asked.items()):
                return kept
    return ()


def _divide(
    grid: StudyFile,
    folder: Path,
    variants: tuple[Variant, ...],
    own: dict[str, Recipe],
    store: Store,
    folds: tuple[Holdout, ...],
) -> Iterator[Design]:
    """Yield one study of all variants, or one study of each with its repairs."""
    common = functools.partial(
        Design,
        store=store,
        folds=folds,
        seeds=grid.seeds,
        epochs=grid.epochs,
        precision=grid.precision,
        exact=grid.protocol == "replay",
        measures=grid.measures,
    )
    if grid.repair is None:
        yield common(folder=folder, label=None, variants=variants)
        return
    settings = () if grid.epochs is None and grid.images_seen is None else ("fit.epochs",)
    asked = None if grid.repair in ("each", "all") else [get_quirk(id.strip()).id for id in grid.repair.split(",")]
    for variant in variants:
        ids = list_own_quirks(variant.recipe, own[variant.name], settings)
        which = grid.repair if asked is None else ",".join(id for id in asked if id in ids)
        if not ids or not which:
            continue  # nothing of it is repaired
        repaired = repairs(variant.recipe, which, own=own[variant.name], settings=settings)
        essential = frozenset({repaired[0].name})
        yield common(folder=folder / variant.name, label=variant.name, variants=repaired, essential=essential)


def _limit_images(recipe: Recipe, grid: StudyFile, rests: Sequence[Store]) -> Recipe:
    """Return a recipe whose epochs show its network as many images as a study file says, rounded to whole epochs.

    All folds have the same number of epochs, that for their mean number of training cases.
    """
    if grid.images_seen is None:
        return recipe
    try:
        cases = fmean(count_training_cases(recipe, rest) for rest in rests)
    except UserError:
        return recipe  # too few cases for its split: it is named with all others that cannot be trained
    return recipe.change("fit.epochs", max(1, round(grid.images_seen / cases)))
