"""What ``collected.json`` says of the studies and cells in it; nothing heavy is imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from llmseg.errors import UserError
from llmseg.files import check_text
from llmseg.files.fields import DAMAGED, check_fields
from llmseg.study.launching.failures import Failure, FailureKind

KEY_DIGITS = 16
"""Digits of a digest in the key of a cell or a study."""

_TEXT = (str, type(None))


@dataclass(frozen=True, kw_only=True)
class CollectedCell:
    """A cell of a collected study: whose scores they are, and all that could have made them others.

    Attributes:
        study: Key of its study.
        dataset: Name of the dataset.
        data: Digest of the store with all cases.
        holdout: Digest of the held-out test set, ``None`` for the run's own test part.
        split: Digest of the training, validation and test cases of the run.
        pipeline: Name of the pipeline.
        variant: Name of the variant.
        recipe: Digest of the recipe that was trained, with its number of epochs and its own seed.
        seed: The seed; ``None`` for masks that came without one.
        evaluator: Version of the evaluator.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.
        code: Digest of the code, see :func:`llmseg.training.code.digest_code`.
        device: Digest of device and machine.
        numerics: Digest of precision, memory layout and the like, and of the versions of libraries.
        results: Digest of its scores and losses.
        facts: What ``run.json`` says, without recipe, case ids, command and names of files; seconds of the cell; for
            contenders beside the recipes, what is known of them.

    ``split``, ``recipe``, ``device`` and ``numerics`` are ``None`` for contenders that were not trained as a recipe.

    Example:
        >>> from llmseg.study import read_collected
        >>> {cell.code for cell in read_collected("collected").cells}  # doctest: +SKIP
    """

    study: str
    dataset: str
    data: str
    holdout: str | None
    split: str | None
    pipeline: str
    variant: str
    recipe: str | None
    seed: int | None
    evaluator: int
    tolerance: float | None
    code: str
    device: str | None
    numerics: str | None
    results: str
    facts: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What tells it from other cells: a digest of all but its results and facts."""
        return digest_json({name: getattr(self, name) for name in IDENTITY})[:KEY_DIGITS]

    @property
    def fold(self) -> int:
        """Number of the fold whose cases it is scored on, from 1; 0 without folds."""
        return int(self.facts.get("fold", 0))

    @property
    def question(self) -> tuple[str, str, str, int | None, int]:
        """Dataset, pipeline, variant, seed and fold: a table has one cell of each."""
        return (self.dataset, self.pipeline, self.variant, self.seed, self.fold)

    @property
    def is_beside(self) -> bool:
        """Whether it is a contender that was not trained as a recipe, such as nnU-Net."""
        return self.recipe is None

    def to_dict(self) -> dict[str, Any]:
        """Return the cell as ``collected.json`` has it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        name = self.pipeline if self.variant in (self.pipeline, "base") else f"{self.pipeline} {self.variant}"
        fold = f" in fold {self.fold}" if self.fold else ""
        return f"{name} with seed {self.seed}{fold} on {self.dataset}"


IDENTITY = tuple(field.name for field in fields(CollectedCell) if field.name not in ("results", "facts"))
"""The fields that make a cell: where one differs, it is another cell."""

_CELL_FIELDS = {
    **dict.fromkeys(("study", "dataset", "data", "pipeline", "variant", "code", "results"), str),
    **dict.fromkeys(("holdout", "split", "recipe", "device", "numerics"), _TEXT),
    **{"seed": (int, type(None)), "evaluator": int, "tolerance": (float, int, type(None)), "facts": dict},
}


@dataclass(frozen=True, kw_only=True)
class CollectedStudy:
    """What a study was to train.

    Attributes:
        dataset: Name of its dataset.
        facts: What else its ``study.json`` says, without the number of seeds, which may grow.
        variants: Place of each variant by its name; the base has 0.
        seeds: Number of seeds, from 0.
        failures: Why variants were left out.

    Example:
        >>> from llmseg.study import read_collected
        >>> [(study.dataset, study.seeds) for study in read_collected("collected").studies.values()]  # doctest: +SKIP
    """

    dataset: str
    facts: Mapping[str, Any]
    variants: Mapping[str, int]
    seeds: int
    failures: tuple[Failure, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the variants by their place."""
        return tuple(sorted(self.variants, key=lambda name: (self.variants[name], name)))

    def to_dict(self) -> dict[str, Any]:
        """Return the study as ``collected.json`` has it."""
        variants = {name: self.variants[name] for name in self.order}
        failures = [_describe_failure(failure) for failure in self.failures]
        own = {"dataset": self.dataset, "facts": self.facts, "variants": variants, "seeds": self.seeds}
        return {**own, "failures": failures}

    @property
    def key(self) -> str:
        """What tells it from other studies: a digest of dataset and facts, among them the recipes."""
        return digest_json({"dataset": self.dataset, "facts": self.facts})[:KEY_DIGITS]

    @property
    def folds(self) -> tuple[str, ...]:
        """The digest of each fold; none without folds."""
        return tuple(self.facts.get("folds", ()))

    @property
    def trainings(self) -> int:
        """Number of cells of a variant: one per seed and fold."""
        return self.seeds * max(1, len(self.folds))

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it stands among others: as the folders of a study of several datasets and pipelines."""
        return (self.dataset, str(self.facts.get("label") or ""), self.key)

    def list_failures(self, cells: Iterable[CollectedCell]) -> tuple[Failure, ...]:
        """Return why variants are left out, without those that were trained as often as asked, elsewhere or later.

        Args:
            cells: The cells of this study.
        """
        trained: dict[str, set[tuple[int | None, int]]] = {}
        for cell in cells:
            trained.setdefault(cell.variant, set()).add((cell.seed, cell.fold))
        return tuple(failure for failure in self.failures if len(trained.get(failure.variant, ())) < self.trainings)

    def count(self, cells: Collection[CollectedCell]) -> tuple[int, int]:
        """Return the number of its cells and of those that are finished, without variants that are left out.

        Args:
            cells: The cells of this study, without contenders beside its recipes.
        """
        failed = {failure.variant for failure in self.list_failures(cells)}
        finished = {(cell.variant, cell.seed, cell.fold) for cell in cells if cell.variant not in failed}
        return len(self.variants.keys() - failed) * self.trainings, len(finished)


_STUDY_FIELDS = {"dataset": str, "facts": dict, "variants": dict[str, int], "seeds": int, "failures": list}
_FAILURE_FIELDS = {"variant": str, "seed": (int, type(None)), "kind": str, "cause": str}


def _describe_failure(failure: Failure) -> dict[str, Any]:
    fold = {"fold": failure.fold} if failure.fold else {}
    return {**{name: getattr(failure, name) for name in _FAILURE_FIELDS}, **fold}


def describe_device(name: str, hardware: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a device and its machine results depend on: not how many others there are, nor its number.

    Args:
        name: The device, such as ``cuda:1``.
        hardware: The machine, as ``run.json`` describes it.

    Example:
        >>> describe_device("cuda:1", {"gpus": ["T4", "A100"], "machine": "x86_64", "cores": 8})
        {'kind': 'cuda', 'gpu': 'A100', 'machine': 'x86_64'}
    """
    kind, _, index = name.partition(":")
    gpus = hardware.get("gpus", []) if kind != "cpu" else []
    number = int(index or 0)
    machine = {name: value for name, value in hardware.items() if name not in ("gpus", "cores")}
    return {"kind": kind, "gpu": gpus[number] if number < len(gpus) else None, **machine}


def digest_json(value: object) -> str:
    """Return SHA-256 of a value as JSON with sorted keys, 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_cell(path: Path, key: str, record: Any) -> CollectedCell:
    """Return a cell of a ``collected.json``.

    Raises:
        UserError: Something lacks, or the cell does not have this key.
    """
    check_fields(path, {key: record}, {f"{key}.{name}": kind for name, kind in _CELL_FIELDS.items()})
    cell = CollectedCell(**{field.name: record[field.name] for field in fields(CollectedCell)})
    for name in ("dataset", "pipeline", "variant"):
        check_text(name, getattr(cell, name))
    _check_key(path, key, cell.key)
    return cell


def read_study(path: Path, key: str, record: Any) -> CollectedStudy:
    """Return a study of a ``collected.json``.

    Raises:
        UserError: Something lacks, or the study does not have this key.
    """
    check_fields(path, {key: record}, {f"{key}.{name}": kind for name, kind in _STUDY_FIELDS.items()})
    failures = []
    for failure in record["failures"]:
        check_fields(path, {"failures": failure}, {f"failures.{name}": kind for name, kind in _FAILURE_FIELDS.items()})
        check_fields(path, failure, {"fold?": int})
        kind: FailureKind = failure["kind"]
        fold = failure.get("fold", 0)
        failures.append(Failure(failure["variant"], failure["seed"], kind, failure["cause"], fold=fold))
    study = CollectedStudy(
        dataset=record["dataset"],
        facts=record["facts"],
        variants=record["variants"],
        seeds=record["seeds"],
        failures=tuple(failures),
    )
    _check_key(path, key, study.key)
    return study


def _check_key(path: Path, key: str, own: str) -> None:
    if key != own:
        raise UserError(f"{path} is damaged: what it says of {key} was changed, and is that of {own}; {DAMAGED}")
