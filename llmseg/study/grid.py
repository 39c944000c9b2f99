"""Training and scoring a study: every variant with every seed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.evaluation.evaluate import evaluate_run_once
from llmseg.files import (
    check_kind,
    clear_leftovers,
    make_folder,
    read_json,
    read_json_if_any,
    write_text,
)
from llmseg.recipe.given import GivenRecipe
from llmseg.recipe.recipe import Recipe
from llmseg.study.conventions import all_conventions
from llmseg.study.study import RECORD_KEYS, Study, cell_folder
from llmseg.study.variants import Variant, find_variants
from llmseg.training.check import check_recipe
from llmseg.training.resume import read_status
from llmseg.training.train import train


def run_study(
    label: str | None,
    variants: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    store: Store,
    out: str | Path,
    *,
    holdout: Holdout,
    seeds: int = 3,
    epochs: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    tolerance: float = 2.0,
    progress: bool = True,
) -> Study:
    """Train every variant with every seed, and score all on the held-out cases.

    The same call made again continues an interrupted study: finished trainings are kept, one that was interrupted goes
    on where it stopped.

    Args:
        label: Id of the pipeline that is varied; ``None`` where every variant is a pipeline of its own.
        variants: The base first, see :mod:`llmseg.study.variants`; also names of pipelines, or pipelines.
        store: The cases.
        out: Folder of the study.
        holdout: The test cases, which no variant is trained on.
        seeds: Number of seeds, from 0.
        epochs: Number of epochs instead of each recipe's.
        device: As for :func:`llmseg.train`.
        precision: As for :func:`llmseg.train`.
        tolerance: As for :func:`llmseg.evaluate_run`.
        progress: Whether to show progress bars.

    Raises:
        UserError: The folder holds another study, there are no seeds, or as :func:`llmseg.train`.
    """
    variants = find_variants(variants)
    folder = Path(out)
    if seeds < 1:
        raise UserError(f"{seeds} seeds: at least one is needed")
    facts = {
        "label": label,
        "variants": {variant.name: variant.recipe.digest for variant in variants},
        "store": {"name": store.name, "digest": store.digest},
        "holdout": holdout.digest,
        "epochs": epochs,
        "tolerance": tolerance,
        "precision": precision,
    }
    _check_all(folder, variants, holdout.rest(store), seeds)
    _begin(folder, facts, seeds)
    frames, rules = [], all_conventions()
    for variant, seed in itertools.product(variants, range(seeds)):
        cell = cell_folder(folder, variant.name, variant.recipe.digest, seed)
        run = train(
            _seeded(variant.recipe, seed),
            store,
            cell / "run",
            label=label or variant.name,
            seed=seed,
            epochs=epochs,
            device=device,
            precision=precision,
            holdout=holdout,
            progress=progress,
        )
        evaluation = evaluate_run_once(
            run,
            store,
            cell / "evaluation",
            holdout=holdout,
            tolerance=tolerance,
            rules=rules,
            device=device,
            precision=precision,
            progress=progress,
        )
        frames.append(evaluation.scores.assign(variant=variant.name))
    write_text(folder / "scores.csv", pd.concat(frames).to_csv(index=False))
    study = Study(folder)
    # Last, because this file says that the study is finished: see Study.open.
    write_text(folder / "differences.csv", study.differences().to_csv(index=False))
    return study


def _check_all(folder: Path, variants: Sequence[Variant], rest: Store, seeds: int) -> None:
    """Refuse variants that cannot be trained before the first one is; those whose trainings are done are left alone."""
    faults = []
    for variant in variants:
        cells = [cell_folder(folder, variant.name, variant.recipe.digest, seed) / "run" for seed in range(seeds)]
        if all(read_status(cell) == "done" for cell in cells):
            continue
        try:
            check_recipe(variant.recipe, rest)
        except UserError as error:
            faults.append(f"{variant.name}: {error}")
    if faults:
        raise UserError("; ".join(faults))


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    """Let a recipe that seeds itself follow the study's seed."""
    own = recipe.fit.own_seed
    # Seed 0 is the script as it was written. Without the sum, all seeds of a study would be the same training.
    return recipe if own is None or seed == 0 else recipe.change("fit.own_seed.seed", own.seed + seed)


def _begin(folder: Path, facts: Mapping[str, Any], seeds: int) -> None:
    """Write ``study.json``, or check that it describes this study; the number of seeds may grow."""
    path = folder / "study.json"
    earlier = read_json_if_any(path, RECORD_KEYS)
    check_kind(folder, "study", holds=bool(earlier), record="study.json")
    if earlier:
        if "tolerance" not in earlier:
            earlier |= _infer_definitions(folder, facts)
        differing = [name for name, value in facts.items() if earlier.get(name) != value]
        if differing:
            name = differing[0]
            shown = name in ("epochs", "tolerance", "precision") and name in earlier
            values = f" ({earlier[name]} there, {facts[name]} here)" if shown else ""
            raise UserError(f"{folder} holds something else: its {name} differs{values}; choose another --out")
    make_folder(folder)
    clear_leftovers(folder, "study.json", "scores.csv", "differences.csv")
    write_text(path, json.dumps({**facts, "seeds": seeds}, indent=2) + "\n")


def _infer_definitions(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return tolerance and precision of a study that was begun when ``study.json`` did not say them.

    Its cells do. Where they leave it open, what is asked for now was asked for then.
    """
    evaluations = [read_json(path, ("tolerance",)) for path in folder.glob("*/evaluation/evaluation.json")]
    runs = [read_json(path, ("how",)) for path in folder.glob("*/run/run.json")]
    tolerances = {evaluation["tolerance"] for evaluation in evaluations}
    # A run says what "auto" stood for on its device, so it never contradicts "auto".
    precisions = set() if facts["precision"] == "auto" else {run["how"]["precision"] for run in runs}
    return {
        "tolerance": next(iter(tolerances - {facts["tolerance"]}), facts["tolerance"]),
        "precision": next(iter(precisions - {facts["precision"]}), facts["precision"]),
    }
