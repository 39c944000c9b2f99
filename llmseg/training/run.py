"""A run: training a recipe on a store into a folder, and the folder as a record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.training.resume import check_folder, earlier_run, run_status

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from llmseg.data.holdout import Holdout


@dataclass(frozen=True)
class Run:
    """A finished run on disk.

    Attributes:
        folder: Holds ``run.json`` (recipe, split, digests, versions, hardware, seed, command), ``history.csv`` and
            ``timing.csv`` (a row per epoch), ``listed.csv`` (the scores as the script lists them), ``scores.csv`` (a
            row per test case) and ``weights.safetensors``.

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
        if run_status(run.folder) != "done":
            what = "an unfinished run" if run_status(run.folder) else "no run"
            raise UserError(f"{folder} holds {what}; give the folder of a finished run (with run.json in it)")
        return run

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        record: dict[str, Any] = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return record

    @property
    def recipe(self) -> Recipe:
        """The recipe that was run."""
        return Recipe.from_dict(self.record["recipe"])

    @property
    def split(self) -> Split:
        """The cases of the three parts."""
        parts = self.record["split"]
        return Split(*(tuple(parts[name]) for name in ("train", "validation", "test")))

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch: ``epoch, train_loss, validation_loss, validation_score, rate``."""
        return self._frame("history.csv")

    @property
    def listed(self) -> pd.DataFrame:
        """Scores as the script lists them: ``phase, epoch, position, value``."""
        return self._frame("listed.csv")

    @property
    def scores(self) -> pd.DataFrame:
        """One row per test case: ``phase, case, group, measure, value``; the measure is the recipe's own score."""
        return self._frame("scores.csv")

    def load_net(self) -> nn.Module:
        """Build the network with the stored weights, in evaluation mode."""
        from safetensors.torch import load_file

        recipe = self.recipe
        net = recipe.net.build(recipe.images.channels)
        net.load_state_dict(load_file(self.folder / "weights.safetensors"))
        return net.eval()

    def _frame(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_csv(self.folder / name)


def train(
    recipe: Recipe,
    store: Store,
    out: str | Path,
    *,
    label: str = "",
    seed: int = 0,
    epochs: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    compile: bool = False,
    tf32: bool = False,
    at_once: int | None = None,
    max_memory: float | None = None,
    holdout: Holdout | None = None,
    cache: bool = True,
    progress: bool = True,
    checkpoint_every: float = 60.0,
) -> Run:
    """Train a recipe on a store and write the run folder.

    Everything a user can get wrong is checked before the folder is made. The same call made again continues an
    interrupted run from its last checkpoint, which then ends with the same weights, history and scores (on a CPU, byte
    for byte), and returns a finished run as it is. On SIGTERM a checkpoint is written after the step under way.

    Args:
        recipe: What to do.
        store: The cases.
        out: The run folder.
        label: Name of the run, such as the pipeline's id.
        seed: Seed of split, weights and case order where the recipe sets none itself.
        epochs: Number of epochs instead of the recipe's.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto`` for what the device is made for; see
            :class:`llmseg.training.numerics.Numerics`.
        exact: Compute as the original scripts do, in fp32 and without anything that changes rounding.
        compile: Compile the network before the first step.
        tf32: Allow TF32 on devices that have it.
        at_once: Cases that go through the network at once; fewer than the batch train it in parts, see
            :func:`llmseg.training.memory.in_parts`.
        max_memory: Gigabytes the training may take, instead of what the device has free.
        holdout: Test cases that are kept out: the recipe splits the rest. ``run.json`` holds their digest.
        cache: Keep prepared cases on disk for the next run, see :mod:`llmseg.data.cache`.
        progress: Whether to show progress bars.
        checkpoint_every: Seconds between checkpoints.

    Returns:
        The run.

    Raises:
        UserError: The data do not suit the recipe, the device is not there, the folder holds something else or is in
            use, the loss is not a number, or the disk is full.
        Terminated: The process received SIGTERM.

    Example:
        >>> from llmseg import SyntheticStore, train, zoo
        >>> store = SyntheticStore("endoscopy", count=20)
        >>> run = train(zoo.get("gpt-4").recipe, store, "runs/gpt-4", epochs=1)  # doctest: +SKIP
    """
    from llmseg.training.device import choose_device, local_device
    from llmseg.training.job import Job
    from llmseg.training.numerics import choose_numerics
    from llmseg.training.processes import joined

    folder = Path(out)
    check_folder(folder)
    chosen = local_device(choose_device(device))
    numerics = choose_numerics(chosen, precision, exact=exact, compile=compile, tf32=tf32)
    if epochs is not None:
        recipe = recipe.change("fit.epochs", epochs)
    if holdout is not None:
        store = holdout.rest(store)
    if earlier_run(folder, recipe, store.digest, seed) == "done":
        return Run(folder)
    with joined(chosen) as world:
        world.check(recipe.fit.batch_size)
        job = Job(
            recipe=recipe,
            store=store,
            folder=folder,
            label=label,
            seed=seed,
            device=chosen,
            numerics=numerics,
            world=world,
            at_once=at_once,
            max_memory=max_memory,
            holdout=None if holdout is None else holdout.digest,
            progress=progress and world.leads,
        )
        job.train(checkpoint_every, cache=cache)
    return Run(folder)
