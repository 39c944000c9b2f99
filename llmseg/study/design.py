"""What a study trains and scores, and whether it can: everything that is decided before its first training."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from llmseg.data.folds import digest_folds, name_manifests, save_folds
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.evaluation.measures import check_measures
from llmseg.files import as_list, check_kind, clear_leftovers, make_folder, read_json, read_json_if_any, write_text
from llmseg.recipe.recipe import Recipe
from llmseg.study.launching.cells import Cell, number_folds
from llmseg.study.launching.failures import Failure
from llmseg.study.record import PRIMARY, RECORD_KEYS
from llmseg.study.variants import Variant
from llmseg.training.check import check_recipe


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a study trains and scores.

    Attributes:
        folder: Folder of the study.
        label: Id of the pipeline that is varied; ``None`` where every variant is a pipeline of its own.
        variants: The recipes, the base first.
        store: The cases.
        folds: The test cases, which no variant is trained on. A cross-validation has several such test sets, the folds,
            and every variant is trained once for each of them. Otherwise there is one.
        seeds: Number of seeds, from 0.
        epochs: Number of epochs instead of each recipe's.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.
        precision: What the networks compute in, or ``auto``.
        exact: Whether they compute as the original scripts do, bit for bit.
        measures: The measures in which contenders are compared, the primary one first.
        essential: Names of variants without which the others say nothing, such as the base of an ablation.
    """

    folder: Path
    label: str | None
    variants: tuple[Variant, ...]
    store: Store
    folds: tuple[Holdout, ...]
    seeds: int = 3
    epochs: int | None = None
    tolerance: float = 2.0
    precision: str = "auto"
    exact: bool = False
    measures: tuple[str, ...] = (PRIMARY,)
    essential: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"{self.seeds} seeds: at least one is needed")
        check_measures(self.measures)

    @classmethod
    def of(cls, options: Mapping[str, Any], **fields: Any) -> Design:
        """Return the design that options of :func:`llmseg.run_study` and other fields ask for."""
        names = ("seeds", "epochs", "tolerance", "precision")
        chosen = {name: options[name] for name in names if name in options}
        chosen["measures"] = tuple(as_list(options.get("measures", PRIMARY)))
        return cls(**chosen, **fields)

    @property
    def facts(self) -> dict[str, Any]:
        """The content of ``study.json``, without the number of seeds, which may grow."""
        return {
            "label": self.label,
            "variants": {variant.name: variant.recipe.digest for variant in self.variants},
            "store": {"name": self.store.name, "digest": self.store.digest},
            "holdout": digest_folds(self.folds),
            "epochs": self.epochs,
            "tolerance": self.tolerance,
            "precision": self.precision,
            # Studies that were written before this could be asked for do not have it.
            **({"exact": True} if self.exact else {}),
            **({"measures": list(self.measures)} if self.measures != (PRIMARY,) else {}),
            **({"folds": [fold.digest for fold in self.folds]} if len(self.folds) > 1 else {}),
        }

    def cells(self, variant: Variant) -> tuple[Cell, ...]:
        """Return the cells of a variant, one per seed and fold."""
        digest = variant.recipe.digest
        pairs = itertools.product(range(self.seeds), number_folds(len(self.folds)))
        return tuple(Cell(self.folder, variant.name, digest, *pair) for pair in pairs)

    def begin(self) -> None:
        """Write ``study.json`` and the test cases, or check that they are of this study; the number of seeds may grow.

        Raises:
            UserError: The folder holds something else.
        """
        self.check_folder()
        make_folder(self.folder)
        manifests = name_manifests(self.folder, len(self.folds))
        tables = ("study.json", "scores.csv", "differences.csv")
        clear_leftovers(self.folder, *tables, *(path.name for path in manifests))
        write_text(self.folder / "study.json", json.dumps({**self.facts, "seeds": self.seeds}, indent=2) + "\n")
        if not all(path.exists() for path in manifests):
            save_folds(self.folds, self.folder)

    def check_folder(self) -> None:
        """Raise :class:`UserError` if the folder holds something else than this study."""
        earlier = read_json_if_any(self.folder / "study.json", RECORD_KEYS)
        check_kind(self.folder, "study", holds=bool(earlier), record="study.json")
        if not earlier:
            return
        facts = self.facts
        self._check_measures_named(earlier)
        if "tolerance" not in earlier:
            earlier |= _infer_definitions(self.folder, facts)
        asked = {**facts, **{name: facts.get(name) for name in ("exact", "folds")}}
        differing = [name for name, value in asked.items() if earlier.get(name) != value]
        if differing:
            name = differing[0]
            values = _describe_difference(name, earlier, facts)
            verb = "differ" if name.endswith("s") else "differs"
            raise UserError(f"{self.folder} holds something else: its {name} {verb}{values}; choose another --out")

    def _check_measures_named(self, earlier: Mapping[str, Any]) -> None:
        """Refuse other measures than those that were named when the study began: scores may have been seen since."""
        named = earlier.get("measures", [PRIMARY])
        if named != list(self.measures):
            others = " ".join(f"--measure {name}" for name in self.measures)
            raise UserError(
                f"{self.folder} was begun with the measures {', '.join(named)}; leave it at these, and look at others "
                f"by llmseg report {others}"
            )

    def can_spare(self, failed: Collection[str]) -> bool:
        """Return whether something is left to compare without some variants."""
        left = [variant for variant in self.variants if variant.name not in failed]
        return self.essential.isdisjoint(failed) and len(left) >= min(2, len(self.variants))

    def is_trained(self, variant: Variant) -> bool:
        """Return whether all cells of a variant are finished."""
        return all(cell.is_finished for cell in self.cells(variant))


def _describe_difference(name: str, earlier: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Return what an earlier study and this one have, in brackets, where that says anything to a reader."""
    if name == "variants":
        there, here = earlier[name], facts[name]
        if {*there} != {*here}:
            return f" ({', '.join(there)} there, {', '.join(here)} here)"
        return f" (the recipe of {next(each for each in here if here[each] != there[each])})"
    shown = name in ("epochs", "tolerance", "precision") and name in earlier
    return f" ({earlier[name]} there, {facts[name]} here)" if shown else ""


def check_designs(designs: Sequence[Design], *, progress: bool = False) -> list[list[Failure]]:
    """Try every variant of some studies on its cases, before anything is trained; nothing is written.

    Args:
        designs: The studies.
        progress: Whether to show a progress bar.

    Returns:
        What cannot be trained in each of the studies. Variants that are trained already are left alone.

    Raises:
        UserError: A folder holds something else, or test cases were drawn from another store.
    """
    for design in designs:
        design.check_folder()
        for fold in design.folds:
            fold.test(design.store)  # otherwise that they are not there would be found after the first training
    causes: dict[tuple[str, str], str] = {}  # the same recipe may stand in many studies
    unfit: list[list[Failure]] = [[] for _ in designs]
    count = sum(len(design.variants) for design in designs)
    with tqdm(total=count, desc="check", unit="recipe", disable=not progress, leave=False, delay=5) as bar:
        for design, found in zip(designs, unfit, strict=True):
            rests = [fold.rest(design.store) for fold in design.folds]
            for variant in design.variants:
                keys = [(variant.recipe.digest, rest.digest) for rest in rests]
                for key, rest in zip(keys, rests, strict=True):
                    if key not in causes:
                        causes[key] = "" if design.is_trained(variant) else _find_fault(variant.recipe, rest)
                cause = next((causes[key] for key in keys if causes[key]), "")
                if cause:
                    found.append(Failure(variant.name, None, "refused", cause))
                bar.update()
    return unfit


def _find_fault(recipe: Recipe, rest: Store) -> str:
    """Return why a recipe cannot be trained on some cases; nothing if it can."""
    try:
        check_recipe(recipe, rest)
    except UserError as error:
        return str(error)
    return ""


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """Let a recipe that seeds itself follow the study's seed."""
    own = recipe.fit.own_seed
    # Seed 0 is the script as it was written. Without the sum, all seeds of a study would be the same training.
    return recipe if own is None or seed == 0 else recipe.change("fit.own_seed.seed", own.seed + seed)


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
