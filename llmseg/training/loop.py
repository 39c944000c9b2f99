"""The one training loop. It yields what happens and knows nothing of whose recipe it runs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, Sampler

from llmseg.data.prepared_cases import PreparedCases
from llmseg.errors import UserError
from llmseg.recipe.augment import augment_batch
from llmseg.recipe.fit import Fit
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score
from llmseg.recipe.splits import Split
from llmseg.training.memory import split_forward
from llmseg.training.numerics import EXACT_NUMERICS, Forward, Numerics
from llmseg.training.processes import ALONE, World
from llmseg.training.state import State


@dataclass(frozen=True)
class RandomStreams:
    """Where a training's random numbers come from: those of case order, dropout and changes to the images.

    Attributes:
        seed: The run's seed.
        per_epoch: Whether the generators are seeded anew for each epoch and each step, so that an epoch does not depend
            on how many numbers were drawn before it. Otherwise one stream runs through the whole training.
        discarded_orders: Number of case orders that are drawn before the one that an epoch uses.
        spacing: Distance between the generator seeds of neighbouring run seeds. See the comment below.
        rank: Number of this process among those that train one network. Each drops out other maps.
    """

    seed: int
    per_epoch: bool
    discarded_orders: int = 0
    # Epoch k of run seed s starts from number (s + 1) * spacing + k, step t half a spacing above it. The golden records
    # were made with 1000: there step 1000 of one seed would draw what step 0 of the next one draws. Seeds that are
    # compared must be independent, so new runs leave room for half a billion steps.
    spacing: int = 10**9
    rank: int = 0

    @classmethod
    def of_run(cls, fit: Fit, seed: int, rank: int = 0) -> RandomStreams:
        """Return the streams of a run: the script's single one if it seeds itself, else those of the run's seed."""
        own = fit.own_seed
        if own is None:
            return cls(seed, per_epoch=True, rank=rank)
        return cls(seed, per_epoch=False, discarded_orders=own.spare_orders, rank=rank)

    def seed_epoch(self, epoch: int) -> None:
        """Seed torch's generators before the order of an epoch is drawn."""
        if self.per_epoch:
            torch.manual_seed(self.spacing * (self.seed + 1) + epoch)

    def choose_image_seed(self, step: int) -> int:
        """Return the seed for the changes to the images of a step; it is the same in all processes."""
        return (self.spacing * (self.seed + 1) + step) % 2**64

    def seed_step(self, step: int) -> None:
        """Seed torch's generators before the forward pass of a step, counted over all epochs."""
        if self.per_epoch:
            # Processes lie a hundredth of a spacing apart: they must not drop out the same maps.
            first = self.spacing * (self.seed + 1) + self.spacing // 2 + self.rank * (self.spacing // 100)
            torch.manual_seed(first + step)


@dataclass(frozen=True)
class Step:
    """A training step that was taken; its gradients are still in the parameters."""

    epoch: int
    index: int
    ids: tuple[str, ...]
    loss: Tensor


@dataclass(frozen=True)
class EvaluatedBatch:
    """A batch of validation or test: the network's output, the values the script lists, one value per case."""

    phase: Literal["validation", "test"]
    ids: tuple[str, ...]
    output: Tensor
    loss: Tensor
    listed: Tensor
    cases: Tensor


@dataclass(frozen=True)
class Epoch:
    """An epoch: its losses, the values listed in validation, the rate after it, its duration."""

    index: int
    train_loss: float
    validation_loss: float
    listed: tuple[float, ...]
    rate: float
    seconds: float


class NotANumber(UserError):
    """The training loss of an epoch, counted from 0, is not a number."""

    def __init__(self, epoch: int, rate: float) -> None:
        super().__init__(
            f"the training loss of epoch {epoch + 1} is not a number; lower fit.rate (now {rate}) or look at the images"
        )


Event: TypeAlias = Step | EvaluatedBatch | Epoch


def choose_seed(fit: Fit, seed: int) -> int:
    """Return the seed a run starts from: the script's own, or the run's if the script sets none."""
    return seed if fit.own_seed is None else fit.own_seed.seed


def draw_start(recipe: Recipe, ids: Sequence[str], seed: int, size: tuple[int, int]) -> tuple[Split, nn.Module]:
    """Draw split and weights in the order in which a script draws them from torch's generator.

    Args:
        recipe: The recipe.
        ids: Case ids in listing order.
        seed: The run's seed; a recipe with a seed of its own ignores it.
        size: Height and width of the prepared cases.

    Raises:
        UserError: The split leaves no batch for a part that the recipe uses.
    """
    torch.manual_seed(choose_seed(recipe.fit, seed))
    split = recipe.split(ids, torch.default_generator)
    _check_parts(recipe, split)
    channels = recipe.images.channels
    net = recipe.net.start(channels)
    if recipe.fit.own_seed is not None:
        torch.rand(recipe.fit.own_seed.summary_batch, channels, *size)
    return split, net


def run_loop(
    recipe: Recipe,
    state: State,
    prepared: PreparedCases,
    split: Split,
    *,
    streams: RandomStreams,
    numerics: Numerics = EXACT_NUMERICS,
    world: World = ALONE,
    at_once: int | None = None,
) -> Iterator[Event]:
    """Train, validate and test from where the state stands; yield every step, evaluated batch and epoch.

    The state is advanced in place and can be stored whenever a step or an epoch is yielded. After the last epoch its
    tested network gets the weights the recipe keeps, and the test follows. Between the first step of an epoch and its
    end, nothing waits for the device.

    Args:
        recipe: What to do.
        state: Where the training stands; its network decides the device.
        prepared: The cases.
        split: The three parts.
        streams: What decides case order and dropout.
        numerics: How the device computes.
        world: The processes that train together; all make the same call.
        at_once: Cases that go through the network of a process at once, ``None`` for its whole part of the batch.

    Raises:
        NotANumber: The training loss is not a number.
    """

    def through(net: nn.Module) -> Forward:
        return world.share(split_forward(numerics.build_forward(net), at_once))

    forward = through(world.wrap(state.net))
    tested = forward if state.average is None else through(state.tested)
    passes = _Loop(recipe, state, prepared, streams, forward, tested)
    fit = recipe.fit
    with numerics.set_switches():
        while state.epoch < fit.epochs:
            started = time.perf_counter()
            train_loss = yield from passes.fit(split.train)
            validation_loss, listed = yield from passes.evaluate(split.validation, "validation", recipe.score)
            state.change_rate(validation_loss)
            if fit.keep == "lowest-validation-loss":
                state.keep_if_lowest(validation_loss)
            rate = state.optimizer.param_groups[0]["lr"]
            state.end_epoch()
            seconds = time.perf_counter() - started
            yield Epoch(state.epoch - 1, train_loss, validation_loss, listed, rate, seconds)
        if state.kept is not None:
            state.tested.load_state_dict(state.kept)
        if recipe.test is not None:
            yield from passes.evaluate(split.test, "test", recipe.test)


@dataclass(frozen=True)
class _Loop:
    """A pass over some cases, in training or in evaluation."""

    recipe: Recipe
    state: State
    prepared: PreparedCases
    streams: RandomStreams
    forward: Forward
    tested: Forward

    def fit(self, ids: Sequence[str]) -> Generator[Step, None, float]:
        """Train one epoch and return its loss."""
        state = self.state
        state.net.train()
        for names in self._batches(ids):
            image, mask = self.prepared.batch(names, state.device)
            image_seed = self.streams.choose_image_seed(state.step)
            image, mask = augment_batch(self.recipe.fit.augment, image, mask, image_seed)
            self.streams.seed_step(state.step)
            state.optimizer.zero_grad()
            loss = self.recipe.loss(self.forward(image), mask)
            state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            state.scaler.step(state.optimizer)
            state.scaler.update()
            state.update_average()
            state.losses.append(loss.detach())
            state.counts.append(len(names))
            state.step += 1
            yield Step(state.epoch, state.step - 1, tuple(names), state.losses[-1])
        mean = self._mean(state.losses, state.counts)
        if mean != mean:
            raise NotANumber(state.epoch, self.recipe.fit.rate)
        return mean

    @torch.no_grad()
    def evaluate(
        self, ids: Sequence[str], phase: Literal["validation", "test"], score: Score
    ) -> Generator[EvaluatedBatch, None, tuple[float, tuple[float, ...]]]:
        """Evaluate some cases in order; return the mean loss and what the script lists."""
        self.state.tested.eval()
        losses, counts, listed = [], [], []
        fit = self.recipe.fit
        together = fit.batch_size_in_test if phase == "test" else fit.batch_size
        for names in _make_loader(ids, together, shuffle=False, drop_last=fit.drop_last):
            image, target = self.prepared.batch(names, self.state.device)
            output = self.tested(image)
            losses.append(self.recipe.loss(output, target, validating=True))
            counts.append(len(names))
            listed.append(score(output, target))
            yield EvaluatedBatch(phase, tuple(names), output, losses[-1], listed[-1], score.score_cases(output, target))
        return self._mean(losses, counts), score.collect(listed)

    def _batches(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """Return the case ids of the batches of the running epoch that are still to be done."""
        fit = self.recipe.fit
        loader = _make_loader(ids, fit.batch_size, shuffle=True, drop_last=fit.drop_last, fixed=fit.fixed_batches)
        if self.state.order_from is None:
            self.streams.seed_epoch(self.state.epoch)
        with self.state.order() as done:
            # A loader draws its order when its first batch is asked for.
            for _ in range(self.streams.discarded_orders):
                next(iter(loader))
            batches = iter(loader)
            first = [next(batches) for _ in range(max(done, 1))][done:]
        return itertools.chain(first, batches)

    def _mean(self, losses: Sequence[Tensor], counts: Sequence[int]) -> float:
        values = torch.stack(list(losses)).double().cpu()
        if self.recipe.fit.epoch_loss == "batches-over-cases":
            return float(values.sum() / sum(counts))
        by_case = self.recipe.fit.epoch_loss == "cases"
        weights = torch.tensor(counts, dtype=torch.float64) if by_case else torch.ones_like(values)
        return float((values * weights).sum() / weights.sum())


def _make_loader(
    ids: Sequence[str], size: int, *, shuffle: bool, drop_last: bool, fixed: int | None = None
) -> DataLoader[str]:
    """Return a loader of case ids alone: it draws orders and spends random numbers as the scripts' loaders did."""
    if fixed is None:
        return DataLoader(ids, batch_size=size, shuffle=shuffle, drop_last=drop_last, collate_fn=list)  # type: ignore[arg-type]
    sampler = _ShuffleBuffer(BatchSampler(range(len(ids)), size, drop_last), fixed)
    return DataLoader(ids, batch_sampler=sampler, collate_fn=list)  # type: ignore[arg-type]


class _ShuffleBuffer(Sampler[list[int]]):
    """Batches in the order in which they leave a shuffle buffer, as ``tf.data`` shuffles: any one of it at a time."""

    def __init__(self, batches: Iterable[list[int]], buffer: int) -> None:
        self.batches, self.buffer = batches, buffer

    def __iter__(self) -> Iterator[list[int]]:
        held: list[list[int]] = []
        order: list[list[int]] = []  # all of it at once: the steps between two batches set the generator anew
        for batch in self.batches:
            held.append(batch)
            if len(held) == self.buffer:
                order.append(_pop_random(held))
        while held:
            order.append(_pop_random(held))
        return iter(order)


def _pop_random(held: list[list[int]]) -> list[int]:
    return held.pop(int(torch.randint(len(held), ())))


def _check_parts(recipe: Recipe, split: Split) -> None:
    """Refuse a split that leaves no batch for a part that the recipe uses."""
    least = recipe.fit.batch_size if recipe.fit.drop_last else 1
    parts = {"training": split.train, "validation": split.validation, "test": split.test}
    for name, ids in parts.items():
        if len(ids) < least and not (name == "test" and recipe.test is None):
            raise UserError(
                f"the split leaves {len(ids)} cases for the {name}, and this recipe needs {least}; give more cases, "
                "or change split, fit.batch_size or fit.drop_last"
            )
