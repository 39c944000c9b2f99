"""What a table may be made of a collected study, and its runs as figures and reports read them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from llmseg.errors import UserError
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.study.collected.cell import IDENTITY, CollectedCell
from llmseg.study.collected.folder import Collected, show_value
from llmseg.study.scores import choose_comparable, describe_state, describe_unbegun
from llmseg.training.run import Run

if TYPE_CHECKING:
    from torch import nn

    from llmseg.data.store_source import Source

_ALIKE = ("data", "holdout", "evaluator", "tolerance")
"""What all cells on one dataset have in common, or their scores cannot be compared."""

_CHOICES = ("study", "code", "device", "numerics", *IDENTITY)
"""By what somebody chooses between two cells of one contender and seed."""


@dataclass(frozen=True)
class CollectedRun(Run):
    """A run of a collected study, which has no weights and knows no case ids.

    Attributes:
        record_kept: What ``run.json`` said, as far as it was collected.
        history_kept: Its losses.
    """

    record_kept: Mapping[str, Any] = field(default_factory=dict)
    history_kept: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)

    @property
    def record(self) -> dict[str, Any]:
        """What ``run.json`` said, as far as it was collected."""
        return dict(self.record_kept)

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch: ``epoch, train_loss, validation_loss, validation_score, rate``."""
        return self.history_kept

    @property
    def split(self) -> Split:
        """A collected study does not name the cases of its trainings.

        Raises:
            UserError: Always.
        """
        raise UserError(_explain(self.folder, "case ids of its trainings"))

    @property
    def source(self) -> Source | None:
        """``None``: a collected study does not know where images lie."""
        return None

    def load_net(self) -> nn.Module:
        """A collected study has no weights.

        Raises:
            UserError: Always.
        """
        raise UserError(_explain(self.folder, "weights"))


def _explain(folder: Path, what: str) -> str:
    return f"{folder} is a collected study, which has no {what}; give the folder of the study itself"


def choose_cells(folder: Path, collected: Collected) -> tuple[CollectedCell, ...]:
    """Return the cells of which a table is made: one of every contender and seed on a dataset.

    Of an unfinished study these are the seeds that all variants have. Two cells of one contender and seed are never
    averaged: if their results are the same, one of them is taken, otherwise somebody has to choose.

    Raises:
        UserError: Two cells of one contender and seed have different results, or those on one dataset were not scored
            alike; the message says how to choose.
    """
    _check_alike(folder, collected)
    first: dict[tuple[str, str, str, int | None, int], CollectedCell] = {}
    for cell in collected.cells:
        other = first.setdefault(cell.question, cell)
        if other.results != cell.results:
            raise UserError(_describe_choice(folder, collected, cell, other))
    compared = set()
    for key, study in collected.studies.items():
        own = _list_trained(key, collected.cells)
        failed = {failure.variant for failure in study.list_failures(own)}
        comparable = choose_comparable([cell for cell in own if cell.variant not in failed])
        compared |= {cell.question for cell in comparable}
    return tuple(cell for question, cell in first.items() if question in compared or cell.is_beside)


def _check_alike(folder: Path, collected: Collected) -> None:
    values: dict[tuple[str, str], Any] = {}
    for cell in collected.cells:
        study = collected.studies[cell.study]
        for name in _ALIKE:
            # Cells of several folds hold out different cases. What has to be the same is the set of all folds.
            own = study.facts["holdout"] if name == "holdout" and cell.fold else getattr(cell, name)
            other = values.setdefault((cell.dataset, name), own)
            if other != own:
                shown = show_value(own)
                chosen = ("study", show_value(cell.study)) if name == "holdout" and study.folds else (name, shown)
                raise UserError(
                    f"{folder}: cells on {cell.dataset} differ in {name} ({show_value(other)}, {shown}) and cannot be "
                    f"compared; choose one: {_command(folder, *chosen)}"
                )


def _describe_choice(folder: Path, collected: Collected, cell: CollectedCell, other: CollectedCell) -> str:
    # The first that differs chooses the most: a study has one state of data and one recipe of each contender.
    name = next(name for name in _CHOICES if getattr(cell, name) != getattr(other, name))
    shown = show_value(getattr(cell, name))
    values = f"({show_value(getattr(other, name))}, {shown})"
    differs = f"with different {name} {values} and results{_compare(collected, other, cell)}"
    return f"{folder} has {cell} twice, {differs}; choose one: {_command(folder, name, shown)}"


def _compare(collected: Collected, one: CollectedCell, other: CollectedCell) -> str:
    """Return the first field in which the recipes of two cells differ, as a part of a sentence."""
    if one.recipe == other.recipe or one.is_beside or other.is_beside:
        return ""
    recipes = [Recipe.from_dict(collected.recipes[str(cell.recipe)]) for cell in (one, other)]
    shown = [
        f": {field.path} is {field.left} in one and {field.right} in the other" for field in recipes[0].diff(recipes[1])
    ]
    return shown[0] if shown else ""


def _command(folder: Path, name: str, shown: str) -> str:
    return f"llmseg study merge {shlex.quote(str(folder))} --only {shlex.quote(f'{name}={shown}')} -o NEW"


def list_remarks(collected: Collected, compared: Sequence[CollectedCell]) -> tuple[str, ...]:
    """Return what a reader of the scores has to know, as :attr:`llmseg.Study.remarks` says it of each study."""
    remarks: list[str] = []
    for key, study in collected.studies.items():
        cells = _list_trained(key, collected.cells)
        chosen = {cell.question for cell in compared}
        own = [cell for cell in cells if cell.question in chosen]
        total, finished = study.count(cells)
        if not finished:
            remarks.append(describe_unbegun(study.dataset))
        elif finished < total:
            remarks.append(describe_state(study.dataset, total, finished, own, len(study.folds)))
        remarks += [f"left out: {failure}" for failure in study.list_failures(cells)]
    return tuple(remarks)


def _list_trained(study: str, cells: Iterable[CollectedCell]) -> list[CollectedCell]:
    """Return the cells of a study without contenders beside its recipes."""
    return [cell for cell in cells if cell.study == study and not cell.is_beside]


def make_frame(cell: CollectedCell, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of a cell in the columns that ``scores.csv`` of its study has, as texts."""
    named = {name: getattr(cell, name) for name in ("pipeline", "variant", "dataset", "seed", "holdout", "evaluator")}
    frame: pd.DataFrame = scores.assign(**{name: "" if value is None else str(value) for name, value in named.items()})
    return frame


def make_run(folder: Path, collected: Collected, cell: CollectedCell) -> CollectedRun:
    """Return the run of a cell."""
    recipe = collected.recipes[str(cell.recipe)]
    return CollectedRun(
        folder, {**cell.facts["run"], "recipe": recipe, "status": "done"}, collected.histories[cell.key]
    )
