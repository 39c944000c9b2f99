"""The folder of a baseline, and those of its trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmseg.data.holdout import Holdout
from llmseg.errors import UserError
from llmseg.files import read_json, read_json_if_any
from llmseg.files.fields import Fields
from llmseg.nnunet.budget import Budget
from llmseg.recipe.splits import Split

RECORD = "baseline.json"
TRAINER = "LlmsegTrainer"
BUDGET = "budget.json"

_RECORD_FIELDS: Fields = {
    **{"store": dict, "store.digest": str, "cases": dict[str, str], "dataset": str},
    **{f"split.{part}": list[str] for part in ("train", "validation", "test")},
}


@dataclass(frozen=True)
class Baseline:
    """nnU-Net's folder for one store, split and held-out test cases.

    Attributes:
        folder: Holds ``baseline.json`` (store, split, and which case is which file), ``holdout.json``, ``raw`` and
            ``preprocessed`` (training and validation cases as nnU-Net wants them), ``test`` (images of the held-out
            cases, nowhere else) and ``trainings``.

    Example:
        >>> baseline = Baseline.open("nnunet/hrf")  # doctest: +SKIP
        >>> len(baseline.split.train)  # doctest: +SKIP
        29
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Baseline:
        """Open a folder that is completely prepared.

        Raises:
            UserError: It is not.
        """
        record = read_json_if_any(Path(folder) / RECORD)
        if record.get("status") != "prepared":
            content = "an unfinished preparation" if record else "no dataset of nnU-Net"
            raise UserError(f"{folder} holds {content}; make it by llmseg nnunet prepare --out {folder}")
        return cls(Path(folder))

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``baseline.json``."""
        return read_json(self.folder / RECORD, _RECORD_FIELDS)

    @property
    def split(self) -> Split:
        """The cases that train, those that validate, and those that are held out."""
        parts = self.record["split"]
        return Split(*(tuple(parts[name]) for name in ("train", "validation", "test")))

    @property
    def cases(self) -> Mapping[str, str]:
        """The id of every case by its name in nnU-Net's files."""
        names: dict[str, str] = self.record["cases"]
        return names

    @property
    def holdout(self) -> Holdout:
        """The manifest of the held-out cases."""
        return Holdout.load(self.folder / "holdout.json")

    @property
    def dataset(self) -> str:
        """nnU-Net's name of the dataset."""
        return str(self.record["dataset"])

    @property
    def batch_size(self) -> int:
        """Images in a training step, as nnU-Net has planned."""
        plans = read_json(
            self.folder / "preprocessed" / self.dataset / "nnUNetPlans.json",
            {"configurations": dict, "configurations.2d.batch_size": int},
        )
        return int(plans["configurations"]["2d"]["batch_size"])

    @property
    def trainings(self) -> tuple[NnunetTraining, ...]:
        """All trainings that were begun, by name."""
        budgets = sorted((self.folder / "trainings").glob(f"*/{BUDGET}"))
        return tuple(NnunetTraining(self, path.parent) for path in budgets)


@dataclass(frozen=True)
class NnunetTraining:
    """A training of nnU-Net in the folder of a baseline.

    Attributes:
        baseline: The data it is trained on.
        folder: Holds ``budget.json``, nnU-Net's own ``results``, and ``predicted``.
    """

    baseline: Baseline
    folder: Path

    @property
    def budget(self) -> Budget:
        """What the training may take."""
        content = read_json(self.folder / BUDGET, ("epochs", "iterations", "seconds"))
        return Budget(epochs=content["epochs"], iterations=content["iterations"], seconds=content["seconds"])

    @property
    def seed(self) -> int:
        """The seed of weights and augmentation."""
        return int(read_json(self.folder / BUDGET, {"seed": int})["seed"])

    @property
    def model(self) -> Path:
        """The folder that nnU-Net takes as a trained model."""
        return self.folder / "results" / self.baseline.dataset / f"{TRAINER}__nnUNetPlans__2d"

    @property
    def fold(self) -> Path:
        """The folder of the fold, with log, checkpoints and validation."""
        return self.model / "fold_0"

    @property
    def trained(self) -> bool:
        """Whether the training has ended, its validation included."""
        # nnU-Net writes this file last, after it has predicted and scored its validation cases.
        return (self.fold / "validation" / "summary.json").is_file()

    @property
    def predicted(self) -> Path:
        """The folder of nnU-Net's masks of the test cases."""
        return self.folder / "predicted"
