"""A run: training a recipe on a store into a folder, and the folder as a record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
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

    from llmseg.data.prepared import Prepared
    from llmseg.engine.numerics import Numerics
    from llmseg.engine.world import World
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
    at_once: int | None = None,
    max_memory: float | None = None,
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
        at_once: Cases that go through the network at once; fewer than the batch train it in parts, see
            :func:`llmseg.engine.memory.in_parts`.
        max_memory: Gigabytes the training may take, instead of what the device has free.
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
    from llmseg.engine.device import choose_device, local_device
    from llmseg.engine.numerics import choose_numerics
    from llmseg.engine.world import joined

    folder = Path(out)
    check_folder(folder)
    chosen = local_device(choose_device(device))
    numerics = choose_numerics(chosen, precision, exact=exact, compile=compile, tf32=tf32)
    if epochs is not None:
        recipe = recipe.change("fit.epochs", epochs)
    if earlier_run(folder, recipe, store.digest, seed) == "done":
        return Run(folder)
    with joined(chosen) as world:
        world.check(recipe.fit.batch_size)
        shown = progress and world.leads
        job = _Job(recipe, store, folder, label, seed, chosen, numerics, world, at_once, max_memory, shown)
        job.train(checkpoint_every, cache=cache)
    return Run(folder)


@dataclass(frozen=True)
class _Job:
    """A training that was asked for, in one of the processes that carry it out."""

    recipe: Recipe
    store: Store
    folder: Path
    label: str
    seed: int
    device: torch.device
    numerics: Numerics
    world: World
    at_once: int | None
    max_memory: float | None
    progress: bool

    def train(self, checkpoint_every: float, *, cache: bool) -> None:
        """Prepare, train and write, from the start or from where an earlier sitting ended."""
        from llmseg.data.cache import cached
        from llmseg.data.prepared import prepare
        from llmseg.loop import NotANumber, draw_start
        from llmseg.run_writer import RunWriter, run_record
        from llmseg.state import State

        prepared = (cached if cache else prepare)(self.store, self.recipe.images, progress=self.progress)
        split, net = draw_start(self.recipe, self.store.ids, self.seed, prepared.size)
        net = self._placed(net, prepared.batch(split.train[:1], self.device))
        state = State.begin(self.recipe.fit, net, self.numerics)
        record = run_record(self.recipe, self.store, split, net, self._how, label=self.label, seed=self.seed)
        writer = RunWriter(self.folder, record, state, self.store.groups, checkpoint_every)
        with self._locked(), notice() as notices:
            if self.world.any(self._done()):  # another process was faster
                return
            if self.world.leads:
                writer.start()
            self.world.wait()  # nobody reads a checkpoint before its folder is in order
            writer.restore()
            try:
                self._follow(writer, self._events(state, prepared, split), notices)
            except NotANumber as error:
                kept = writer.rescue() if self.world.leads else None
                raise UserError(f"{error}" + (f"; the last good weights are in {kept}" if kept else "")) from error
            self.world.wait()  # nobody reads the run before it is written

    def _follow(self, writer: RunWriter, events: Iterator[Event], notices: Sequence[int]) -> None:
        for event in events:
            if self.world.leads:
                writer.take(event)
            if self.world.any(bool(notices)):
                self._stop(writer, event)
        if self.world.leads:
            writer.finish()

    @property
    def _how(self) -> dict[str, Any]:
        """All that may change the last bits of the result."""
        where = {"device": str(self.device), "processes": self.world.size, "at_once": self.at_once}
        return {**asdict(self.numerics), **where}

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self.folder) if self.world.leads else nullcontext()

    def _done(self) -> bool:
        return self.world.leads and earlier_run(self.folder, self.recipe, self.store.digest, self.seed) == "done"

    def _placed(self, net: nn.Module, batch: tuple[Tensor, Tensor]) -> nn.Module:
        """Put the network where it is trained, try it, and see whether it fits."""
        from llmseg.engine.memory import check_memory, free_memory, has_statistics, measured
        from llmseg.engine.world import share_statistics

        net = self.numerics.place(net, self.device)
        _try_once(self.recipe, net, batch)
        size = self.recipe.fit.batch_size
        at_once = min(self.at_once or size, -(-size // self.world.size))
        limit = free_memory(self.device) if self.max_memory is None else int(self.max_memory * 1e9)
        needs = measured(self.recipe, net, self.numerics.forward(net), batch)
        check_memory(needs, limit, size, at_once, statistics=has_statistics(net))
        return net if self.world.size == 1 else share_statistics(net, self.device)

    def _events(self, state: State, prepared: Prepared, split: Split) -> Iterator[Event]:
        """Train, with a bar over all training steps that shows the losses of the last epoch."""
        from tqdm import tqdm

        from llmseg.data.prepared import resident
        from llmseg.loop import Chance, Epoch, Step, training

        fit, name = self.recipe.fit, self.label or "train"
        chance = Chance.of(fit, self.seed, self.world.rank)
        events = training(
            self.recipe,
            state,
            resident(prepared, self.device),
            split,
            chance=chance,
            numerics=self.numerics,
            world=self.world,
            at_once=self.at_once,
        )
        total = -(-len(split.train) // fit.batch_size) * fit.epochs
        with tqdm(total=total, initial=state.step, desc=name, unit="step", disable=not self.progress) as bar:
            for event in events:
                yield event
                if isinstance(event, Step):
                    bar.set_description(f"{name} epoch {event.epoch + 1}/{fit.epochs}", refresh=False)
                    bar.update()
                elif isinstance(event, Epoch):
                    bar.set_postfix_str(f"loss {event.train_loss:.4f}, validation {event.validation_loss:.4f}")

    def _stop(self, writer: RunWriter, event: Event) -> None:
        """Store and stop after a step or an epoch; in validation, go on until then; in the test, just stop."""
        phase = getattr(event, "phase", None)
        if phase == "validation":
            return
        if phase is None and self.world.leads:
            writer.store()
        raise Terminated(f"stopped on notice after step {writer.state.step}; the same command continues {self.folder}")


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
