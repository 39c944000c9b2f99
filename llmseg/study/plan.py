"""The plan of a study: its cells, what each will cost, and which of them fit into some hours."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe.images import Images, Prepare
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Splitter
from llmseg.study.design import Design
from llmseg.study.launching.cells import Cell, find_finished, number_folds
from llmseg.study.variants import Variant
from llmseg.training.cost import Cost, estimate_cost
from llmseg.training.memory import Needs

COLUMNS = (
    *("dataset", "label", "contender", "seed", "fold", "state", "epochs", "images", "steps"),
    *("teraflops", "seconds", "memory_gb", "fault"),
)
"""The columns of a plan."""


@dataclass(frozen=True)
class _Work:
    """What every cell of one variant on one dataset has to do."""

    epochs: int
    images: int
    steps: int
    flops: float
    memory: int
    fault: str

    def list_amounts(self, speed: float | None) -> tuple[object, ...]:
        """Return the last columns of a plan, from ``epochs`` on."""
        seconds = float("nan") if speed is None else self.flops / speed
        return (self.epochs, self.images, self.steps, self.flops / 1e12, seconds, self.memory / 1e9, self.fault)


def plan_cells(designs: Sequence[Design], speed: float | None = None) -> pd.DataFrame:
    """List the cells of some studies, with an estimate of what each will cost. Nothing is trained or written.

    Args:
        designs: The studies.
        speed: Floating-point operations that this device does per second, see
            :func:`llmseg.training.measure_speed`; ``None`` leaves the seconds out.

    Returns:
        A row per cell, in the order in which cells are trained: ``dataset``, ``label`` of the study, ``contender``,
        ``seed``, ``fold`` (from 1, or 0 without folds), ``state`` (``finished`` or ``open``), ``epochs``, ``images``
        seen in training, ``steps``, ``teraflops`` of all steps, ``seconds``, ``memory_gb`` of a step, and ``fault``:
        why it cannot be trained.

    Example:
        >>> from llmseg.study.file.designs import make_designs
        >>> from llmseg.study.file.study_file import read_study_file
        >>> phantoms = {"phantoms": {"synthetic": "fundus", "cases": 24}}
        >>> grid = read_study_file({"pipelines": ["bing-copilot"], "datasets": phantoms, "epochs": 2})
        >>> plan = plan_cells(make_designs(grid, "studies/new", draw=False))
        >>> plan[["contender", "seed", "epochs", "steps"]].values.tolist()
        [['bing-copilot', 0, 2, 2], ['bing-copilot', 1, 2, 2], ['bing-copilot', 2, 2, 2]]
    """
    rows: list[tuple[object, ...]] = []
    for design in designs:
        finished = find_finished(cell for variant in design.variants for cell in design.cells(variant))
        for variant, works in _estimate_all(design):
            names = (design.store.name, design.label or "", variant.name)
            for cell in design.cells(variant):
                state = "finished" if cell in finished else "open"
                rows.append((*names, cell.seed, cell.fold, state, *works[cell.fold].list_amounts(speed)))
    # A stable sort: within seed and fold, datasets and contenders keep their order, as launchers take them.
    plan: pd.DataFrame = pd.DataFrame(rows, columns=list(COLUMNS))
    plan = plan.sort_values(["seed", "fold"], kind="stable", ignore_index=True)
    return plan


def estimate_cells(designs: Sequence[Design], speed: float) -> dict[Cell, float]:
    """Return the seconds that every cell of some studies will take; those that cannot be trained take none.

    Args:
        designs: The studies.
        speed: As for :func:`plan_cells`.
    """
    seconds: dict[Cell, float] = {}
    for design in designs:
        for variant, works in _estimate_all(design):
            seconds |= {cell: works[cell.fold].flops / speed for cell in design.cells(variant)}
    return seconds


def _estimate_all(design: Design) -> Iterator[tuple[Variant, dict[int, _Work]]]:
    """Yield every variant with its work on each fold, by number."""
    rests = [fold.rest(design.store) for fold in design.folds]
    for variant in design.variants:
        works = (_estimate(variant.recipe, rest, design.epochs) for rest in rests)
        yield variant, dict(zip(number_folds(len(rests)), works, strict=True))


def choose_cells(plan: pd.DataFrame, hours: float) -> pd.DataFrame:
    """Return the open cells of a plan that fit into some hours, the most informative first.

    A first seed of every contender on every dataset says more than further seeds of some, and cheap cells say as much
    as dear ones. So seeds go in turn, within a seed the folds, and within a fold the cheapest first.

    Args:
        plan: What :func:`plan_cells` returned, with seconds.
        hours: The hours there are.

    Raises:
        UserError: The plan has no seconds, or the hours are not above 0.

    Example:
        >>> frame = pd.DataFrame({"seed": [0, 1, 0], "fold": 0, "seconds": [900.0, 900.0, 1800.0], "state": "open"})
        >>> choose_cells(frame.assign(fault=""), hours=0.75).index.tolist()
        [0, 2]
    """
    if not hours > 0:
        raise UserError(f"{hours} hours; give a number above 0")
    if plan["seconds"].isna().all() and len(plan):
        raise UserError("the plan has no seconds; give plan_cells a speed, as llmseg.training.measure_speed finds it")
    left = plan[(plan["state"] == "open") & (plan["fault"] == "")].sort_values(
        ["seed", "fold", "seconds"], kind="stable"
    )
    chosen: pd.DataFrame = left[left["seconds"].cumsum() <= hours * 3600]
    return chosen


def _estimate(recipe: Recipe, rest: Store, epochs: int | None) -> _Work:
    epochs = recipe.fit.epochs if epochs is None else epochs
    cases, batch = 0, recipe.fit.batch_size
    try:
        cases = count_training_cases(recipe, rest)
        cost, fault = estimate_cost(recipe, _find_size(recipe.images, rest)), ""
    except UserError as error:
        cost, fault = Cost(0, Needs(0, 0)), str(error)
    images = epochs * cases
    steps = epochs * recipe.fit.count_steps(cases)
    return _Work(epochs, images, steps, float(cost.flops * images), cost.needs.of_batch(batch), fault)


def count_training_cases(recipe: Recipe, store: Store) -> int:
    """Return how many cases the split of a recipe gives to the training.

    Raises:
        UserError: There are too few cases for the split.
    """
    return count_training_part(recipe.split, store.ids)


@functools.cache  # recipes of a study share splits
def count_training_part(split: Splitter, ids: tuple[str, ...]) -> int:
    """Return how many of some cases a split gives to the training.

    Raises:
        UserError: There are too few cases for the split.
    """
    # How many they are does not depend on the draw.
    return len(split(ids, torch.Generator().manual_seed(0)).train)


def _find_size(images: Images, store: Store) -> tuple[int, int]:
    """Return height and width of prepared cases; without a size of their own, those of the first case."""
    if isinstance(images, Prepare) and images.size is not None:
        return images.size
    case = store.read(store.ids[0])
    height, width = images(case.image, case.mask)[0].shape[-2:]
    return height, width
