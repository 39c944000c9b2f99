"""Studies: variants of a recipe, trained with several seeds, scored alike and compared case by case."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.evaluation.evaluate import evaluate_run
from llmseg.evaluation.record import Evaluation
from llmseg.files import make_folder, write_text
from llmseg.recipe import Recipe
from llmseg.runs import train
from llmseg.stats.bootstrap import mean_interval
from llmseg.stats.figures import draw_differences

BASE = "base"
"""Name of the recipe that the others are compared with."""

PARTS = ("images", "split", "net", "loss", "fit", "score", "test")


@dataclass(frozen=True)
class Variant:
    """A recipe of a study.

    Attributes:
        name: What was changed, such as ``loss.dice=0.0``.
        recipe: The recipe.
    """

    name: str
    recipe: Recipe


def ablations(recipe: Recipe, fields: Mapping[str, Sequence[object]], *, crossed: bool = False) -> tuple[Variant, ...]:
    """Return a recipe and its variants in some fields; variants that equal the recipe are left out.

    Args:
        recipe: The base.
        fields: Dotted paths, and the values each shall take.
        crossed: Every combination of values, instead of one field at a time.

    Raises:
        UserError: A path names no field, a value does not fit, or nothing changes.

    Example:
        >>> from llmseg import zoo
        >>> [v.name for v in ablations(zoo.get("gpt-o3").recipe, {"fit.batch_size": [4, 8], "loss.dice": [1.0]})]
        ['base', 'fit.batch_size=4', 'loss.dice=1.0']
    """
    choices = [[(path, value) for value in values] for path, values in fields.items()]
    combined = itertools.product(*choices) if crossed else ((choice,) for choice in itertools.chain(*choices))
    return _distinct(recipe, (_with(recipe, changes) for changes in combined))


def repairs(recipe: Recipe, which: str) -> tuple[Variant, ...]:
    """Return a recipe and what becomes of it when quirks are repaired.

    Args:
        recipe: The base.
        which: ``each`` of its quirks alone, ``all`` of them together, or ids of quirks, with commas, each alone.

    Raises:
        UserError: There is no such quirk, or the recipe does not have it, or has none at all.

    Example:
        >>> from llmseg import zoo
        >>> [v.name for v in repairs(zoo.get("grok-3-mini").recipe, "each")][:2]
        ['base', 'without double-sigmoid']
    """
    named = [quirk.id for quirk in recipe.quirks] if which == "each" else [id.strip() for id in which.split(",")]
    titles = {id: "without any quirk" if id == "all" else f"without {id}" for id in named}
    return _distinct(recipe, (Variant(title, recipe.repaired(id)) for id, title in titles.items()))


def transplants(recipe: Recipe, donor: Recipe, parts: Sequence[str], source: str) -> tuple[Variant, ...]:
    """Return a recipe and what becomes of it with single parts of another.

    Args:
        recipe: The base.
        donor: The other recipe.
        parts: Names of the parts, one variant each.
        source: What the other recipe is called.

    Raises:
        UserError: There is no such part, or the recipes do not differ in any.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise UserError(f"no part '{unknown[0]}'{nearest(unknown[0], PARTS)}; parts are {', '.join(PARTS)}")
    changed = (Variant(f"{part} of {source}", recipe.change(part, getattr(donor, part))) for part in parts)
    return _distinct(recipe, changed)


def _with(recipe: Recipe, changes: Sequence[tuple[str, object]]) -> Variant:
    for path, value in changes:
        recipe = recipe.change(path, value)
    return Variant(" ".join(f"{path}={value}" for path, value in changes), recipe)


def _distinct(recipe: Recipe, variants: Iterator[Variant]) -> tuple[Variant, ...]:
    found = {variant.recipe: variant for variant in variants if variant.recipe != recipe}
    if not found:
        raise UserError("nothing changes: every variant equals the recipe; give other values")
    return (Variant(BASE, recipe), *found.values())


@dataclass(frozen=True)
class Study:
    """A study on disk.

    Attributes:
        folder: Holds ``study.json``, a folder per variant and seed with its run and its evaluation, and, once all are
            there, ``scores.csv`` (a row per case, seed, variant and measure), ``differences.csv`` and a figure of them.

    Example:
        >>> Study.open("ablations/gpt-o3").differences()  # doctest: +SKIP
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Open a finished study.

        Raises:
            UserError: The folder holds none.
        """
        if not (Path(folder) / "differences.csv").is_file():
            raise UserError(f"{folder} holds no finished study; run llmseg ablate, again if it was interrupted")
        return cls(Path(folder))

    @property
    def scores(self) -> pd.DataFrame:
        """One row per case, seed, variant, size and measure."""
        return pd.read_csv(self.folder / "scores.csv")

    def differences(self, measure: str = "dice", size: str = "native", level: float = 0.95) -> pd.DataFrame:
        """Compare every variant with the base, case by case and seed by seed.

        Args:
            measure: One of :data:`llmseg.evaluation.measures.MEASURES`.
            size: ``native`` or ``working``.
            level: Level of the intervals, see :func:`llmseg.stats.bootstrap.mean_interval`.

        Returns:
            A row per variant: ``variant, base, mean, difference, low, high, level, groups, seeds``, where ``base`` and
            ``mean`` are the mean scores of the base and of the variant.

        Raises:
            UserError: There is no such measure or size.
        """
        scores = self.scores
        chosen = scores[(scores["measure"] == measure) & (scores["size"] == size)]
        if chosen.empty:
            known = ", ".join(scores["measure"].unique())
            raise UserError(f"no measure '{measure}' at size '{size}'; measures are {known}, sizes native and working")
        wide = chosen.pivot(index=["case", "group", "seed"], columns="variant", values="value").dropna()
        names = [name for name in scores["variant"].unique() if name != BASE]
        table: pd.DataFrame = pd.DataFrame([_compared(wide, name, level) for name in names])
        return table


def _compared(wide: pd.DataFrame, name: str, level: float) -> dict[str, Any]:
    difference = (wide[name] - wide[BASE]).rename("value").reset_index()
    interval = asdict(mean_interval(difference, level=level))
    means = {"base": float(wide[BASE].mean()), "mean": float(wide[name].mean()), "difference": interval.pop("mean")}
    return {"variant": name, **means, **interval}


def run_study(
    label: str,
    variants: Sequence[Variant],
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
        label: What is varied, such as the pipeline's id.
        variants: The base first, see :func:`ablations`, :func:`repairs` and :func:`transplants`.
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
    folder = Path(out)
    if seeds < 1:
        raise UserError(f"{seeds} seeds: at least one is needed")
    _begin(folder, label, variants, store, holdout, seeds, epochs)
    frames = []
    for variant, seed in itertools.product(variants, range(seeds)):
        cell = folder / f"{_file_name(variant.name)}-{variant.recipe.digest[:6]}-seed{seed}"
        run = train(
            _seeded(variant.recipe, seed),
            store,
            cell / "run",
            label=label,
            seed=seed,
            epochs=epochs,
            device=device,
            precision=precision,
            holdout=holdout,
            progress=progress,
        )
        if (cell / "evaluation/evaluation.json").is_file():
            evaluation = Evaluation(cell / "evaluation")
        else:
            options = {"holdout": holdout, "tolerance": tolerance, "device": device, "precision": precision}
            evaluation = evaluate_run(run, store, cell / "evaluation", progress=progress, **options)  # type: ignore[arg-type]
        frames.append(evaluation.scores.assign(variant=variant.name))
    write_text(folder / "scores.csv", pd.concat(frames).to_csv(index=False))
    study = Study(folder)
    differences = study.differences()
    for extension in ("pdf", "png"):
        draw_differences(differences, folder / f"differences.{extension}", base=label)
    write_text(folder / "differences.csv", differences.to_csv(index=False))
    return study


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    """Let a recipe that seeds itself follow the study's seed: seed 0 is its own."""
    own = recipe.fit.own_seed
    return recipe if own is None or seed == 0 else recipe.change("fit.own_seed.seed", own.seed + seed)


def _begin(
    folder: Path,
    label: str,
    variants: Sequence[Variant],
    store: Store,
    holdout: Holdout,
    seeds: int,
    epochs: int | None,
) -> None:
    """Write what the study is, or see that it is the one that is there; more seeds may follow."""
    facts = {
        "label": label,
        "variants": {variant.name: variant.recipe.digest for variant in variants},
        "store": {"name": store.name, "digest": store.digest},
        "holdout": holdout.digest,
        "epochs": epochs,
    }
    path = folder / "study.json"
    if folder.is_dir() and any(folder.iterdir()):
        earlier = _read(path)
        differing = [name for name, value in facts.items() if earlier.get(name) != value]
        if differing:
            raise UserError(f"{folder} holds something else: its {differing[0]} differs; choose another --out")
    make_folder(folder)
    write_text(path, json.dumps({**facts, "seeds": seeds}, indent=2) + "\n")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_.=" else "_" for letter in name)
