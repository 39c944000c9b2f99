"""A run: training a recipe on a store into a folder, and the folder as a record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.data.store import Store
from llmseg.errors import Terminated, UserError
from llmseg.recipe import Recipe, Split
from llmseg.run_guard import check_folder, earlier_run, locked, notice, run_status

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor, nn

    from llmseg.loop import Event
    from llmseg.run_writer import RunWriter
    from llmseg.state import State


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
            :class:`llmseg.engine.numerics.Numerics`.
        exact: Compute as the original scripts do, in fp32 and without anything that changes rounding.
        compile: Compile the network, which pays for long runs.
        tf32: Allow TF32 on devices that have it.
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
    from llmseg.data.cache import cached
    from llmseg.data.prepared import prepare, resident
    from llmseg.engine.numerics import choose_numerics
    from llmseg.loop import Chance, draw_start, training
    from llmseg.run_writer import RunWriter, run_record
    from llmseg.state import State

    folder = Path(out)
    check_folder(folder)
    chosen = choose_device(device)
    numerics = choose_numerics(chosen, precision, exact=exact, compile=compile, tf32=tf32)
    if epochs is not None:
        recipe = recipe.change("fit.epochs", epochs)
    if earlier_run(folder, recipe, store.digest, seed) == "done":
        return Run(folder)
    prepared = (cached if cache else prepare)(store, recipe.images, progress=progress)
    split, net = draw_start(recipe, store.ids, seed, prepared.size)
    net = numerics.place(net, chosen)
    _try_once(recipe, net, prepared.batch(split.train[:1], chosen))
    record = run_record(recipe, store, split, net, numerics, label=label, seed=seed, device=str(chosen))
    state = State.begin(recipe.fit, net, numerics)
    writer = RunWriter(folder, record, state, store.groups, checkpoint_every)
    chance = Chance.of(recipe.fit, seed)
    with locked(folder), notice() as notices:
        if earlier_run(folder, recipe, store.digest, seed) == "done":  # another process was faster
            return Run(folder)
        writer.start()
        events = training(recipe, state, resident(prepared, chosen), split, chance=chance, numerics=numerics)
        for event in _with_bar(events, state, recipe, split, label, progress):
            writer.take(event)
            if notices:
                _stop(writer, event)
        writer.finish()
    return Run(folder)


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is the first GPU if there is one.

    Raises:
        UserError: The name is none, or the device is not there.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"no device '{name}'; allowed: auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"no device '{name}'; allowed: auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"no device '{name}': this machine has {torch.cuda.device_count()} CUDA devices; use --device cpu"
        )
    return device


def _stop(writer: RunWriter, event: Event) -> None:
    """Store and stop after a step or an epoch; in validation, go on until then; in the test, just stop."""
    phase = getattr(event, "phase", None)
    if phase == "validation":
        return
    if phase is None:
        writer.store()
    raise Terminated(f"stopped on notice after step {writer.state.step}; the same command continues {writer.folder}")


def _try_once(recipe: Recipe, net: nn.Module, batch: tuple[Tensor, Tensor]) -> None:
    """Let one case pass through network, loss and score, so that parts that do not fit are reported first."""
    import torch

    image, mask = batch
    with torch.no_grad():
        output = net.eval()(image)
        recipe.loss(output, mask)
        for score in (recipe.score, recipe.test):
            if score is not None:
                score(output, mask)


def _with_bar(
    events: Iterator[Event], state: State, recipe: Recipe, split: Split, label: str, progress: bool
) -> Iterator[Event]:
    """Show a bar over all training steps, with the losses of the last epoch."""
    from tqdm import tqdm

    from llmseg.loop import Epoch, Step

    steps = -(-len(split.train) // recipe.fit.batch_size)
    total, begun = steps * recipe.fit.epochs, state.step
    with tqdm(total=total, initial=begun, desc=label or "train", unit="step", disable=not progress) as bar:
        for event in events:
            yield event
            if isinstance(event, Step):
                bar.set_description(f"{label or 'train'} epoch {event.epoch + 1}/{recipe.fit.epochs}", refresh=False)
                bar.update()
            elif isinstance(event, Epoch):
                bar.set_postfix_str(f"loss {event.train_loss:.4f}, validation {event.validation_loss:.4f}")
