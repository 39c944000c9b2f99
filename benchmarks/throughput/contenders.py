"""Three ways to train a recipe and to predict: a plain loop as in the scripts, MONAI's trainer, and ours.

They start from the same weights, take the same cases in batches of one size, and use the recipe's loss and optimiser.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import torch
from monai.data import CacheDataset, ThreadDataLoader
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.engines.utils import IterationEvents, default_prepare_batch
from monai.transforms import Lambda
from task import Contender, Task
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from llmseg.data import move_to_device, prepare_cached
from llmseg.recipe import Split
from llmseg.training import (
    Epoch,
    Event,
    RandomStreams,
    State,
    Step,
    choose_inference_kernels,
    choose_kernels,
    run_loop,
)

ENDLESS = 10**6


class _Files(Dataset[tuple[Tensor, Tensor]]):
    """Cases that are decoded whenever they are asked for."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __len__(self) -> int:
        return len(self.task.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.task.prepare(self.task.ids[index])


class Plain(Contender):
    """A loop in the manner of the scripts: files decoded in every epoch, torch's defaults, the loss read each step."""

    name = "plain"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.net = copy.deepcopy(task.net).to(task.device)
        self.optimizer = task.optimizer(self.net)
        self.loader = DataLoader(_Files(task), batch_size=task.batch_size, shuffle=True, num_workers=0)

    def train(self) -> None:
        """Train every case once."""
        self.net.train()
        total = 0.0
        for image, mask in self.loader:
            image, mask = image.to(self.task.device), mask.to(self.task.device)
            self.clock.mark("data")
            self.optimizer.zero_grad()
            loss = self.task.recipe.loss(self.net(image), mask)
            loss.backward()
            self.optimizer.step()
            self.clock.mark("network")
            total += loss.item()
            self.clock.mark("other")

    @torch.no_grad()
    def predict(self) -> None:
        """Predict one image after the other."""
        self.net.eval()
        for id in self.task.ids:
            image = self.task.recipe.images.image(self.task.store.image(id))
            self.net(image[None].to(self.task.device))


class Monai(Contender):
    """MONAI's supervised trainer on its cached dataset, with half precision on a GPU.

    Everything it leaves open is at its default. The cached cases are plain tensors, which are faster to copy and to
    collate than MONAI's own, and its loader makes the next batch in a thread.
    """

    name = "monai"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.net = copy.deepcopy(task.net).to(task.device)
        self.optimizer = task.optimizer(self.net)
        started = time.perf_counter()
        self.cases = CacheDataset(task.ids, Lambda(self._prepared), cache_rate=1.0, progress=False)
        self.preparation = (time.perf_counter() - started) / len(task.ids)
        half = task.device.type == "cuda"
        self.trainer = SupervisedTrainer(
            device=task.device,
            max_epochs=1,
            train_data_loader=ThreadDataLoader(self.cases, batch_size=task.batch_size, shuffle=True, num_workers=0),
            network=self.net,
            optimizer=self.optimizer,
            loss_function=self._loss,
            prepare_batch=self._batch,
            amp=half,
        )
        self.evaluator = SupervisedEvaluator(
            device=task.device,
            val_data_loader=ThreadDataLoader(self.cases, batch_size=task.batch_size, num_workers=0),
            network=self.net,
            amp=half,
        )
        # A step that is left out for too large a scale does not reach the optimiser.
        self.trainer.add_event_handler(IterationEvents.BACKWARD_COMPLETED, lambda: self.clock.mark("network"))
        self.optimizer.register_step_post_hook(lambda *_: self.clock.mark("network"))

    def _prepared(self, id: str) -> dict[str, Tensor]:
        image, mask = self.task.prepare(id)
        return {"image": image, "label": mask}

    def _batch(self, *arguments: Any, **options: Any) -> Any:
        batch = default_prepare_batch(*arguments, **options)
        self.clock.mark("other")
        return batch

    def _loss(self, output: Tensor, mask: Tensor) -> Tensor:
        # The cross-entropy of probabilities refuses half precision.
        with torch.autocast(output.device.type, enabled=False):
            return self.task.recipe.loss(output.float(), mask)

    def train(self) -> None:
        """Train every case once."""
        self.trainer.run()

    def predict(self) -> None:
        """Predict in batches."""
        self.evaluator.run()

    def kept_cases(self) -> Sequence[Tensor]:
        """Return the cached cases."""
        return [value for index in range(len(self.cases)) for value in self.cases[index].values()]


@dataclass(frozen=True)
class _WatchedStreams(RandomStreams):
    """RandomStreams that tells when a batch is there and when its forward pass begins."""

    mark: Callable[[str], None] = field(kw_only=True)

    def seed_step(self, step: int) -> None:
        """Set torch's generators before the forward pass."""
        self.mark("data")
        super().seed_step(step)
        self.mark("other")


class Ours(Contender):
    """The library's loop on prepared cases."""

    name = "ours"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        recipe = task.recipe.change("fit.epochs", ENDLESS).change("fit.keep", "last")
        self.net = task.numerics.place(copy.deepcopy(task.net), task.device)
        size = task.prepare(task.ids[0])[0].shape
        self.numerics = choose_kernels(task.numerics, task.net, task.device, size)
        self.for_inference = choose_inference_kernels(task.numerics, task.net, task.device, [size])
        started = time.perf_counter()
        prepared = prepare_cached(task.store, recipe.images)
        self.preparation = (time.perf_counter() - started) / len(task.store.ids)
        self.prepared = move_to_device(prepared, task.device)
        state = State.begin(recipe.fit, self.net, self.numerics)
        self.optimizer = state.optimizer
        split = Split(task.ids, task.store.ids[-1:], ())
        streams = _WatchedStreams(**asdict(RandomStreams.of_run(recipe.fit, seed=0)), mark=self.clock.mark)
        events = run_loop(recipe, state, self.prepared, split, streams=streams, numerics=self.numerics)
        self.events = cast(Generator[Event, None, None], events)

    def train(self) -> None:
        """Train every case once."""
        # The loop sets torch's switches until it ends; between its steps the others shall find the defaults.
        with self.task.numerics.set_switches():
            for _ in range(len(self.task.ids) // self.task.batch_size):
                event = next(self.events)
                assert isinstance(event, Step)
                self.clock.mark("network")

    def settle(self) -> None:
        """Let the epoch's validation pass."""
        with self.task.numerics.set_switches():
            while not isinstance(next(self.events), Epoch):
                pass

    @torch.no_grad()
    def predict(self) -> None:
        """Predict as :func:`llmseg.predict` does: a copy in the layout of inference, one image at a time on a CPU."""
        numerics = self.for_inference
        forward = numerics.build_forward(numerics.place(copy.deepcopy(self.net).eval(), self.task.device))
        size = self.task.batch_size if self.task.device.type == "cuda" else 1
        with numerics.set_switches():
            for first in range(0, len(self.task.ids), size):
                image, _ = self.prepared.batch(self.task.ids[first : first + size], self.task.device)
                forward(image)

    def kept_cases(self) -> Sequence[Tensor]:
        """Return the prepared cases, as bytes."""
        return self.prepared.images, self.prepared.masks

    def close(self) -> None:
        """End the loop, which puts back the switches it found."""
        with self.task.numerics.set_switches():
            self.events.close()


CONTENDERS: tuple[type[Contender], ...] = (Plain, Monai, Ours)
