"""What is asked of the contenders of the throughput measurement, and the clock that divides their time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from device_limits import synchronise
from image_files import FirstCases
from torch import Tensor, nn

from llmseg import Recipe
from llmseg.training import Numerics, State


@dataclass(frozen=True)
class Task:
    """What the three are given.

    Attributes:
        recipe: Network, loss, optimiser, batch size, preparation of images.
        store: The cases; all but the last are trained and predicted, the last is for our validation.
        net: The weights to start from, on the CPU.
        device: Where to compute.
        numerics: How ours computes.
    """

    recipe: Recipe
    store: FirstCases
    net: nn.Module
    device: torch.device
    numerics: Numerics

    @property
    def ids(self) -> tuple[str, ...]:
        """The cases that are trained and predicted."""
        return self.store.ids[:-1]

    @property
    def batch_size(self) -> int:
        """Cases per step."""
        return self.recipe.fit.batch_size

    def optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        """Return the recipe's optimiser as a script makes it, not fused."""
        return State.begin(self.recipe.fit, net).optimizer

    def prepare(self, id: str) -> tuple[Tensor, Tensor]:
        """Decode and prepare one case."""
        case = self.store.read(id)
        return self.recipe.images(case.image, case.mask)


@dataclass
class Clock:
    """Divides the time of training steps into ``data``, ``network`` and ``other``, while it watches.

    Only then does it wait for the device, so that it does not disturb a measurement of throughput.
    """

    device: torch.device
    parts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    watching: bool = False
    last: float = 0.0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch the steps in the block."""
        synchronise(self.device)
        self.watching, self.last = True, time.perf_counter()
        yield
        self.mark("other")
        self.watching = False

    def mark(self, part: str) -> None:
        """Count the time since the last mark to a part."""
        if self.watching:
            synchronise(self.device)
            now = time.perf_counter()
            self.parts[part] += now - self.last
            self.last = now

    def share(self, part: str) -> float:
        """Return the share of a part in all time that was watched."""
        return self.parts[part] / sum(self.parts.values())


class Contender:
    """One way to train and predict.

    Attributes:
        net: The network, on the device.
        optimizer: Its optimiser.
        clock: Divides the time of steps.
        preparation: Seconds per case before the first step; ``None`` where cases are prepared anew in every step.
    """

    name: str
    net: nn.Module
    optimizer: torch.optim.Optimizer
    preparation: float | None = None

    def __init__(self, task: Task) -> None:
        self.task, self.clock = task, Clock(task.device)

    def train(self) -> None:
        """Train every case once."""
        raise NotImplementedError

    def settle(self) -> None:
        """Do what comes after an epoch and is not measured."""

    def predict(self) -> None:
        """Predict every case once; the output stays on the device."""
        raise NotImplementedError

    def kept_cases(self) -> Sequence[Tensor]:
        """Return the prepared cases that are kept."""
        return ()

    def close(self) -> None:
        """End."""

    def kept_bytes(self) -> int:
        """Return the bytes on the device of all that is kept between steps: weights, gradients, moments, cases."""
        weights = list(self.net.parameters())
        moments = [value for state in self.optimizer.state.values() for value in state.values()]
        kept = [*weights, *(w.grad for w in weights), *self.net.buffers(), *moments, *self.kept_cases()]
        tensors = [value for value in kept if isinstance(value, Tensor)]
        return sum(value.nbytes for value in tensors if value.device.type == self.task.device.type)
