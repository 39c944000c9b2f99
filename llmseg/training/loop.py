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
from llmseg.training.memory import in_parts
from llmseg.training.numerics import EXACT, Forward, Numerics
from llmseg.training.processes import ALONE, World
from llmseg.training.state import State


@dataclass(frozen=True)
class Chance:
    """What decides case order and dropout.

    Attributes:
        seed: The run's seed.
        per_epoch: Whether each epoch and step start from numbers of their own, so that an epoch does not depend on
            how many numbers were drawn before it. Otherwise one stream runs through the whole training.
        spare_orders: Case orders that are drawn and thrown away before that of an epoch.
        apart: How far the numbers of neighbouring seeds lie apart. The records were made with 1000, where step 1000 of
            one seed starts like step 0 of the next; runs that are compared need more.
        rank: Number of the process among several that train one network; each drops out maps of its own.
    """

    seed: int
    per_epoch: bool
    spare_orders: int = 0
    apart: int = 10**9
    rank: int = 0

    @classmethod
    def of(cls, fit: Fit, seed: int, rank: int = 0) -> Chance:
        """Return what decides in a run: the script's one stream if it seeds itself, else the run's seed."""
        own = fit.own_seed
        return cls(seed, per_epoch=True, rank=rank) if own is None else cls(seed, False, own.spare_orders, rank=rank)

    def start_epoch(self, epoch: int) -> None:
        """Set torch's generators before the order of an epoch is drawn."""
        if self.per_epoch:
            torch.manual_seed(self.apart * (self.seed + 1) + epoch)

    def of_images(self, step: int) -> int:
        """Return the number from which the changes to the images of a step are drawn, the same in all processes."""
        return (self.apart * (self.seed + 1) + step) % 2**64

    def start_step(self, step: int) -> None:
        """Set torch's generators before the forward pass of a step, counted over all epochs."""
        if self.per_epoch:
            first = self.apart * (self.seed + 1) + self.apart // 2 + self.rank * (self.apart // 100)
            torch.manual_seed(first + step)


@dataclass(frozen=True)
class Step:
    """A training step that was taken; its gradients are still in the parameters."""

    epoch: int
    index: int
    ids: tuple[str, ...]
    loss: Tensor


@dataclass(frozen=True)
class Evaluated:
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


Event: TypeAlias = Step | Evaluated | Epoch


def first_seed(fit: Fit, seed: int) -> int:
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
    torch.manual_seed(first_seed(recipe.fit, seed))
    split = recipe.split(ids, torch.default_generator)
    _check_parts(recipe, split)
    channels = recipe.images.channels
    net = recipe.net.start(channels)
    if recipe.fit.own_seed is not None:
        torch.rand(recipe.fit.own_seed.summary_batch, channels, *size)
    return split, net


def training(
    recipe: Recipe,
    state: State,
    prepared: PreparedCases,
    split: Split,
    *,
    chance: Chance,
    numerics: Numerics = EXACT,
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
        chance: What decides case order and dropout.
        numerics: How the device computes.
        world: The processes that train together; all make the same call.
        at_once: Cases that go through the network of a process at once, ``None`` for its whole part of the batch.

    Raises:
        NotANumber: The training loss is not a number.
    """

    def through(net: nn.Module) -> Forward:
        return world.share(in_parts(numerics.forward(net), at_once))

    forward = through(world.wrap(state.net))
    tested = forward if state.average is None else through(state.tested)
    passes = _Passes(recipe, state, prepared, chance, forward, tested)
    fit = recipe.fit
    with numerics.switched():
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
class _Passes:
    """A pass over some cases, in training or in evaluation."""

    recipe: Recipe
    state: State
    prepared: PreparedCases
    chance: Chance
    forward: Forward
    tested: Forward

    def fit(self, ids: Sequence[str]) -> Generator[Step, None, float]:
        """Train one epoch and return its loss."""
        state = self.state
        state.net.train()
        for names in self._batches(ids):
            image, mask = self.prepared.batch(names, state.device)
            image, mask = augment_batch(self.recipe.fit.augment, image, mask, self.chance.of_images(state.step))
            self.chance.start_step(state.step)
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
    ) -> Generator[Evaluated, None, tuple[float, tuple[float, ...]]]:
        """Evaluate some cases in order; return the mean loss and what the script lists."""
        self.state.tested.eval()
        losses, counts, listed = [], [], []
        fit = self.recipe.fit
        together = fit.batch_size_in_test if phase == "test" else fit.batch_size
        for names in _order(ids, together, shuffle=False, drop_last=fit.drop_last):
            image, target = self.prepared.batch(names, self.state.device)
            output = self.tested(image)
            losses.append(self.recipe.loss(output, target, validating=True))
            counts.append(len(names))
            listed.append(score(output, target))
            yield Evaluated(phase, tuple(names), output, losses[-1], listed[-1], score.score_cases(output, target))
        return self._mean(losses, counts), score.collect(listed)

    def _batches(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """Return the case ids of the batches of the running epoch that are still to be done."""
        fit = self.recipe.fit
        loader = _order(ids, fit.batch_size, shuffle=True, drop_last=fit.drop_last, fixed=fit.fixed_batches)
        if self.state.order_from is None:
            self.chance.start_epoch(self.state.epoch)
        with self.state.order() as done:
            # A loader draws its order when its first batch is asked for.
            for _ in range(self.chance.spare_orders):
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


def _order(
    ids: Sequence[str], size: int, *, shuffle: bool, drop_last: bool, fixed: int | None = None
) -> DataLoader[str]:
    """Return a loader of case ids alone: it draws orders and spends random numbers as the scripts' loaders did."""
    if fixed is None:
        return DataLoader(ids, batch_size=size, shuffle=shuffle, drop_last=drop_last, collate_fn=list)  # type: ignore[arg-type]
    sampler = _Buffered(BatchSampler(range(len(ids)), size, drop_last), fixed)
    return DataLoader(ids, batch_sampler=sampler, collate_fn=list)  # type: ignore[arg-type]


class _Buffered(Sampler[list[int]]):
    """Batches in the order in which they leave a shuffle buffer, as ``tf.data`` shuffles: any one of it at a time."""

    def __init__(self, batches: Iterable[list[int]], buffer: int) -> None:
        self.batches, self.buffer = batches, buffer

    def __iter__(self) -> Iterator[list[int]]:
        held: list[list[int]] = []
        order: list[list[int]] = []  # all of it at once: the steps between two batches set the generator anew
        for batch in self.batches:
            held.append(batch)
            if len(held) == self.buffer:
                order.append(_any_of(held))
        while held:
            order.append(_any_of(held))
        return iter(order)


def _any_of(held: list[list[int]]) -> list[int]:
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
