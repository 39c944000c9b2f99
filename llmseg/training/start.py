"""The finished run whose weights a new run starts from: more epochs without touching what is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.errors import UserError
from llmseg.files import read_bytes
from llmseg.recipe.part import Part
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.training.run import Run

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Start:
    """A finished run that another one starts from.

    Attributes:
        run: The finished run. It is read only.
    """

    run: Run

    @classmethod
    def of(cls, given: Run | str | Path) -> Start:
        """Open a finished run.

        Raises:
            UserError: There is none.
        """
        return cls(given if isinstance(given, Run) else Run.open(given))

    @cached_property
    def record(self) -> dict[str, Any]:
        """What ``run.json`` of the new run says of the finished one.

        ``epochs`` and ``steps`` are those of the finished run and of the runs that it started from itself. ``start`` is
        what it says of these.
        """
        record, recipe = self.run.record, self.run.recipe
        before = record.get("start")
        steps = recipe.fit.count_steps(len(self.run.split.train)) * recipe.fit.epochs
        return {
            "label": record["label"],
            "recipe_digest": record["recipe_digest"],
            "weights_digest": record.get("weights_digest") or self._digest_weights(),
            "epochs": recipe.fit.epochs + (before["epochs"] if before else 0),
            "steps": steps + (before["steps"] if before else 0),
            **({"start": before} if before else {}),
        }

    @property
    def weights_digest(self) -> str:
        """SHA-256 of the weights."""
        return str(self.record["weights_digest"])

    def _digest_weights(self) -> str:
        # Runs of earlier versions do not say it.
        return hashlib.sha256(read_bytes(self.run.folder / "weights.safetensors")).hexdigest()

    def load_weights(self) -> dict[str, Tensor]:
        """Return the weights of the finished run.

        Raises:
            UserError: They are not those that the training wrote.
        """
        return dict(self.run.load_net().state_dict())

    def check(self, recipe: Recipe, store_digest: str, holdout: str | None, seed: int) -> None:
        """Refuse a training for which these weights are none, or which may be tested on what they were trained on.

        Args:
            recipe: What is to be trained.
            store_digest: Digest of the cases without those that are held out.
            holdout: Digest of the held-out test cases.
            seed: Seed of the new run.

        Raises:
            UserError: The networks differ, or the cases, the held-out test cases or the seed do.
        """
        record, own, folder = self.run.record, self.run.recipe, self.run.folder
        parts = [("net", own.net, recipe.net), ("images.channels", own.images.channels, recipe.images.channels)]
        for name, theirs, ours in parts:
            if theirs != ours:
                raise UserError(
                    f"the network of {folder} is another one ({_name_difference(name, theirs, ours)}), so its weights "
                    "do not fit; take the recipe of that run"
                )
        if record["holdout"] != holdout:
            if record["holdout"] is None:
                raise UserError(
                    f"{folder} was trained without held-out test cases, so it may have seen these; leave out --holdout"
                )
            raise UserError(f"{folder} was trained with other test cases held out; give the same --holdout")
        if record["store"]["digest"] != store_digest:
            raise UserError(
                f"{folder} was trained on another set of cases, so it may have seen test cases of this one; give the "
                "cases it was trained on"
            )
        if record["seed"] != seed:
            raise UserError(
                f"{folder} has seed {record['seed']}, and seed {seed} would divide the cases otherwise; give --seed "
                f"{record['seed']}"
            )

    def check_split(self, split: Split) -> None:
        """Refuse another division of the cases: test cases would be cases that the finished run was trained on.

        Raises:
            UserError: The division is another one.
        """
        if split.digest != self.run.split.digest:
            raise UserError(
                f"the cases would be divided otherwise than in {self.run.folder}, so it may have seen test cases; keep "
                "split and fit.own_seed of its recipe, and the versions that its run.json names"
            )


def _name_difference(name: str, theirs: object, ours: object) -> str:
    """Return the first difference of two values, parts or plain ones."""
    if type(theirs) is type(ours) and isinstance(theirs, Part) and isinstance(ours, Part):
        first = theirs.diff(ours)[0]
        return f"{name}.{first.path} is {first.left} there and {first.right} here"
    shown = [type(value).__name__ if isinstance(value, Part) else value for value in (theirs, ours)]
    return f"{name} is {shown[0]} there and {shown[1]} here"
