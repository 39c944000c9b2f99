"""A training in one process, from the first case read to the last file written.

The arguments of :func:`llmseg.train` have been checked before; the loop itself is in ``loop.py``.
"""

from __future__ import annotations

import functools
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from llmseg.data.cache import prepare_cached
from llmseg.data.prepared_cases import PreparedCases, move_to_device, prepare_cases
from llmseg.data.store import Store
from llmseg.errors import Terminated
from llmseg.files import read_json_if_any
from llmseg.files.fields import check_fields
from llmseg.files.interruption import collect_notices, describe_signal
from llmseg.files.notes import note
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.training.check import check_batch
from llmseg.training.events import Beginning, Epoch, Event, Step
from llmseg.training.kernel_choice import choose_kernels, has_choice
from llmseg.training.loop import NotANumber, draw_start, run_loop
from llmseg.training.memory import check_memory, has_batch_norm, measure_free_memory, measure_needs
from llmseg.training.numerics import Numerics
from llmseg.training.observing.observer import Observer, Tell, observe
from llmseg.training.places import write_places
from llmseg.training.processes import World, share_statistics
from llmseg.training.random_streams import RandomStreams
from llmseg.training.resume import find_earlier_run, lock_folder
from llmseg.training.run_files import RunWriter, clear_run, describe_run
from llmseg.training.start import Start
from llmseg.training.state import State
from llmseg.training.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training that was asked for, as one of the processes carries it out.

    Attributes:
        recipe: What to do.
        store: The cases; held-out ones have been removed.
        folder: The run folder.
        label: Name of the run.
        seed: The run's seed.
        device: Where this process computes.
        numerics: How it computes.
        world: The processes that train together, and which of them this is.
        at_once: Cases that pass through the network together; ``None`` for the whole batch.
        max_memory: Gigabytes the training may take; ``None`` for what is free.
        holdout: Digest of the held-out test cases, if there are any.
        progress: Whether to show progress bars.
        start: The finished run that it starts from, if there is one.
        observers: Who is told what happens. Of processes that train together, those of the first are told.
    """

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
    holdout: str | None
    progress: bool
    start: Start | None = None
    observers: tuple[Observer, ...] = ()

    def train(self, checkpoint_every: float, *, cache: bool) -> None:
        """Train and write the run folder, from the start or from the last checkpoint."""
        prepared = (prepare_cached if cache else prepare_cases)(self.store, self.recipe.images, progress=self.progress)
        prepared = move_to_device(prepared, self.device)
        weights = None if self.start is None else self.start.load_weights()
        split, net = draw_start(self.recipe, self.store.ids, self.seed, prepared.size, weights)
        if self.start is not None:
            self.start.check_split(split)
        job = replace(self, numerics=self._choose_kernels(net, (self.recipe.images.channels, *prepared.size)))
        job._train_net(net, split, prepared, checkpoint_every, cache=cache)

    def _choose_kernels(self, net: nn.Module, shape: tuple[int, ...]) -> Numerics:
        """Return how to compute: by the kernels that an interrupted run has begun with, else by the fastest ones."""
        # Of several processes, each might find other kernels fast.
        if self.world.size > 1 or not has_choice(self.numerics, self.device):
            return self.numerics
        path = self.folder / "run.json"
        begun = read_json_if_any(path, {"how?": dict}).get("how")
        if begun is None:
            return choose_kernels(self.numerics, net, self.device, shape, progress=self.progress)
        check_fields(path, begun, {"winograd?": list[str]})
        return replace(self.numerics, winograd=tuple(begun.get("winograd", ())))  # earlier versions had no choice

    def _train_net(
        self, net: nn.Module, split: Split, prepared: PreparedCases, checkpoint_every: float, *, cache: bool
    ) -> None:
        net = self._place_net(net, prepared.batch(split.train[:1], self.device), split.train)
        state = State.begin(self.recipe.fit, net, self.numerics)
        record = describe_run(
            self.recipe,
            self.store,
            split,
            net,
            self._how,
            label=self.label,
            seed=self.seed,
            holdout=self.holdout,
            start=None if self.start is None else self.start.record,
            cache=cache,
        )
        # Of several devices, one would tell its own part only.
        usage = Usage(self.device) if self.world.size == 1 else None
        writer = RunWriter(self.folder, record, state, self.store.groups, checkpoint_every, usage)
        with self._lock(), collect_notices() as notices:
            # Another launcher may have finished the run since ``train`` looked, before this one had the lock.
            if self.world.any(self._is_done()):
                return
            if self.world.leads:
                clear_run(self.folder)
            self.world.wait()  # no process may read the checkpoint before the first one has put the folder in order
            total = self._count_steps(split)
            continues = writer.restore()
            if self.world.leads:
                # Not before: a run that cannot be continued like this must find its run.json as it was.
                writer.start()
                write_places(self.folder, self.store)
            if continues and self.world.leads:
                note(self._describe_start(state, total))
            begin = functools.partial(Beginning, self.folder, record, state.step, total)
            observers = self.observers if self.world.leads else ()
            try:
                with observe(observers, begin, self.device) as tell:
                    self._follow(writer, self._run_with_bar(state, prepared, split, total), notices, total, tell)
            except NotANumber as error:
                if self.world.leads and (rescued := writer.rescue()):
                    error.add(f"the last good weights are in {rescued}")
                raise
            self.world.wait()  # no process may return the run before the first one has written it

    def _count_steps(self, split: Split) -> int:
        fit = self.recipe.fit
        return fit.count_steps(len(split.train)) * fit.epochs

    def _describe_start(self, state: State, total: int) -> str:
        epochs, epoch = self.recipe.fit.epochs, state.epoch + 1
        if state.epoch == epochs:
            return f"{self.folder} continues after step {state.step} of {total}, with the test"
        if len(state.losses) == total // epochs:
            return f"{self.folder} continues after step {state.step} of {total}, with the validation of epoch {epoch}"
        return f"{self.folder} continues at step {state.step + 1} of {total}, epoch {epoch}"

    def _follow(
        self, writer: RunWriter, events: Iterator[Event], notices: Sequence[int], total: int, tell: Tell
    ) -> None:
        for event in events:
            if self.world.leads:
                writer.take(event)
                tell(event)
            if self.world.any(bool(notices)):
                self._stop(writer, event, notices[0] if notices else signal.SIGTERM, total)
        if self.world.leads:
            writer.finish()

    @property
    def _how(self) -> dict[str, Any]:
        """What may change the last bits of the result: a run is continued only if all of it is the same."""
        where = {"device": str(self.device), "processes": self.world.size, "at_once": self.at_once}
        return {**asdict(self.numerics), **where}

    def _lock(self) -> AbstractContextManager[None]:
        return lock_folder(self.folder) if self.world.leads else nullcontext()

    def _is_done(self) -> bool:
        start = None if self.start is None else self.start.weights_digest
        status = find_earlier_run(self.folder, self.recipe, self.store.digest, self.seed, start)
        return self.world.leads and status == "done"

    def _place_net(self, net: nn.Module, batch: tuple[Tensor, Tensor], train: Sequence[str]) -> nn.Module:
        """Move the network to its device, try it with one case, and check that a training step fits into memory."""
        net = self.numerics.place(net, self.device)
        size = self.recipe.fit.batch_size
        # -(-a // b) divides and rounds up.
        at_once = min(self.at_once or size, -(-size // self.world.size))
        limit = measure_free_memory(self.device) if self.max_memory is None else int(self.max_memory * 1e9)
        with torch.random.fork_rng(devices=[] if self.device.type == "cpu" else None):
            check_batch(self.recipe, net, batch, train)
        needs = measure_needs(self.recipe, net, self.numerics, batch)
        check_memory(needs, limit, size, at_once, statistics=has_batch_norm(net))
        return net if self.world.size == 1 else share_statistics(net, self.device)

    def _run_with_bar(self, state: State, prepared: PreparedCases, split: Split, total: int) -> Iterator[Event]:
        """Run the loop with a progress bar over all training steps that shows the losses of the last epoch."""
        fit, name = self.recipe.fit, self.label or "train"
        streams = RandomStreams.of_run(fit, self.seed, self.world.rank)
        if self.start is not None:
            streams = streams.after(self.start.record["epochs"], self.start.record["steps"])
        events = run_loop(
            self.recipe,
            state,
            prepared,
            split,
            streams=streams,
            numerics=self.numerics,
            world=self.world,
            at_once=self.at_once,
        )
        hidden = not self.progress
        # Below the bar of a study, that of a training goes when it is done: this is what None says.
        with tqdm(total=total, initial=state.step, desc=name, unit="step", disable=hidden, leave=None) as bar:
            for event in events:
                yield event
                if isinstance(event, Step):
                    bar.set_description(f"{name} epoch {event.epoch + 1}/{fit.epochs}", refresh=False)
                    bar.update()
                elif isinstance(event, Epoch):
                    bar.set_postfix_str(f"loss {event.train_loss:.4f}, validation {event.validation_loss:.4f}")

    def _stop(self, writer: RunWriter, event: Event, signum: int, total: int) -> None:
        """End a training that was told to stop, where its state can be continued from.

        After a step or an epoch, a checkpoint is written first. A validation goes on until its epoch ends. A test stops
        without a checkpoint: the rows of the batches that are tested would be in it, and be written a second time.
        """
        phase = getattr(event, "phase", None)
        if phase == "validation":
            return
        if phase is None and self.world.leads:
            writer.store()
        raise Terminated(
            f"stopped by {describe_signal(signum)} after step {writer.state.step} of {total}; "
            f"the same command continues {self.folder}",
            signum,
        )
