"""``Run``: a finished run, opened from its folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from llmseg.data.reading import DEFAULT, Reading, read_reading
from llmseg.errors import UserError
from llmseg.files import read_bytes, read_json
from llmseg.files.fields import Fields, read_texts
from llmseg.files.html import facts_html
from llmseg.files.tables import read_table
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.recipe.weights import check_values
from llmseg.training.curves import curves_svg
from llmseg.training.resume import RUN_FIELDS, read_status

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from llmseg.data.store_source import Source

_RECORD: Fields = {
    **RUN_FIELDS,
    **{"label": str, "recipe_digest": str, "store.name": str, "store.cases": int, "holdout": (str, type(None))},
    **{"split": dict, "how.device": str, "how.precision": str, "versions": dict[str, str], "seconds": (float, int)},
    # Earlier versions did not write these.
    **{"prepared_as?": (str, type(None)), "source?": (dict, type(None)), "seen_images?": list[str]},
    **{"weights_digest?": str, "code?": str},
    # Only runs that started from another have it.
    "start?": dict,
}
"""What ``run.json`` says of a finished run."""

_RESTORE = "put it back from a copy, or train the run again in another folder"


@dataclass(frozen=True)
class Run:
    """A finished run on disk.

    Attributes:
        folder: Holds ``run.json`` (recipe, split, digests, versions, hardware, seed, command), ``private.json``
            (paths of this machine, not to be published), ``history.csv`` and ``timing.csv`` (a row per epoch),
            ``listed.csv`` (the scores as the script lists them), ``scores.csv`` (a row per test case) and
            ``weights.safetensors``.

    Example:
        >>> run = Run.open("runs/gpt-4")  # doctest: +SKIP
        >>> run.history.validation_loss.min()  # doctest: +SKIP
        0.21
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a run folder.

        Raises:
            UserError: The folder holds no finished run.
        """
        run = cls(Path(folder))
        if read_status(run.folder) != "done":
            if read_status(run.folder):
                raise UserError(
                    f"{folder} holds an unfinished run; give the command of its training again, which goes on, or the "
                    "folder of a finished run"
                )
            raise UserError(f"{folder} holds no run; give the folder of a finished run (with run.json in it)")
        return run

    def _repr_html_(self) -> str:
        record, history = self.record, self.history
        facts = {
            "dataset": f"{record['store']['name']}, {record['store']['cases']} cases",
            "seed": str(record["seed"]),
            "epochs": str(len(history)),
            "trained on": f"{record['how']['device']} in {record['seconds']:.0f} s",
            "parameters": f"{record['parameters']:,}" if "parameters" in record else "not known",
            "folder": str(self.folder),
        }
        losses = {"training": history["train_loss"].tolist(), "validation": history["validation_loss"].tolist()}
        score = {"score": history["validation_score"].tolist()}
        curves = curves_svg("loss", losses) + curves_svg("score in validation", score)
        return facts_html(record["label"] or self.folder.name, facts) + f"<div>{curves}</div>"

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        return read_json(self.folder / "run.json", _RECORD)

    @property
    def recipe(self) -> Recipe:
        """The recipe that was run."""
        try:
            return Recipe.from_dict(self.record["recipe"])
        except UserError as error:
            raise UserError(f"{self.folder / 'run.json'}: {error}") from error

    @property
    def split(self) -> Split:
        """The cases of the three parts."""
        record, names = self.record, ("train", "validation", "test")
        path = self.folder / "run.json"
        return Split(*(read_texts(path, record, f"split.{name}") for name in names))

    @property
    def source(self) -> Source | None:
        """Where the images lie on this machine; ``None`` if the run says nothing, as one that was published."""
        from llmseg.training.places import read_places

        return read_places(self.folder, self.record)

    @property
    def reading(self) -> Reading:
        """How the files that the run was trained on were read.

        Raises:
            UserError: ``run.json`` says what is no reading.
        """
        record = self.record
        if "reading" in record:
            return read_reading(record["reading"])
        # Runs of earlier versions say it of folders only, and of the foreground at another place.
        source = record.get("source")
        if not isinstance(source, dict):
            return DEFAULT
        return read_reading(source.get("reading")) if "reading" in source else Reading(source.get("foreground"))

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch: ``epoch, train_loss, validation_loss, validation_score, rate``."""
        return self._read_table("history.csv", epoch="whole", train_loss="number", validation_loss="number")

    @property
    def listed(self) -> pd.DataFrame:
        """Scores as the script lists them: ``phase, epoch, position, value``."""
        return self._read_table("listed.csv", phase="any", epoch="whole", value="number")

    @property
    def scores(self) -> pd.DataFrame:
        """One row per test case: ``phase, case, group, measure, value``; the measure is the recipe's own score."""
        return self._read_table("scores.csv", phase="any", case="any", measure="any", value="number")

    def load_net(self) -> nn.Module:
        """Build the network with the stored weights, in evaluation mode.

        Raises:
            UserError: The weights are not those that the training wrote, do not fit the network, or are no numbers.
        """
        recipe = self.recipe
        net = recipe.net.build(recipe.images.channels)
        path = self.folder / "weights.safetensors"
        weights = self._read_weights(path)
        try:
            net.load_state_dict(weights)
        except RuntimeError as error:
            raise UserError(f"{path} does not fit the recipe in run.json; {_RESTORE}") from error
        return net.eval()

    def _read_weights(self, path: Path) -> dict[str, Tensor]:
        from safetensors import SafetensorError
        from safetensors.torch import load

        content = read_bytes(path, hint=_RESTORE)
        # Runs of earlier versions have no digest.
        digest = self.record.get("weights_digest")
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise UserError(f"{path} is not the file that the training wrote (its digest is another); {_RESTORE}")
        try:
            weights = load(content)
        except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise UserError(f"{path} is damaged or holds no weights; {_RESTORE}") from error
        check_values(path, weights)
        return weights

    def _read_table(self, name: str, **columns: Literal["any", "number", "whole"]) -> pd.DataFrame:
        return read_table(self.folder / name, columns)
