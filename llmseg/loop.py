"""The one training loop. It yields what happens and knows nothing of whose recipe it runs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from llmseg.data.prepared import PreparedCases
from llmseg.errors import UserError
from llmseg.fit import Fit
from llmseg.recipe import Recipe, Score, Split
from llmseg.state import State


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
    """

    seed: int
    per_epoch: bool
    spare_orders: int = 0
    apart: int = 10**9

    @classmethod
    def of(cls, fit: Fit, seed: int) -> Chance:
        """Return what decides in a run: the script's one stream if it seeds itself, else the run's seed."""
        own = fit.own_seed
        return cls(seed, per_epoch=True) if own is None else cls(seed, False, own.spare_orders)

    def start_epoch(self, epoch: int) -> None:
        """Set torch's generators before the order of an epoch is drawn."""
        if self.per_epoch:
            torch.manual_seed(self.apart * (self.seed + 1) + epoch)

    def start_step(self, step: int) -> None:
        """Set torch's generators before the forward pass of a step, counted over all epochs."""
        if self.per_epoch:
            torch.manual_seed(self.apart * (self.seed + 1) + self.apart // 2 + step)


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
    """
    torch.manual_seed(first_seed(recipe.fit, seed))
    split = recipe.split(ids, torch.default_generator)
    channels = recipe.images.channels
    net = recipe.net.build(channels)
    if recipe.fit.own_seed is not None:
        torch.rand(recipe.fit.own_seed.summary_batch, channels, *size)
    return split, net


def training(
    recipe: Recipe,
    state: State,
    prepared: Mapping[str, tuple[Tensor, Tensor]],
    split: Split,
    *,
    chance: Chance,
    device: torch.device | str = "cpu",
) -> Iterator[Event]:
    """Train, validate and test from where the state stands; yield every step, evaluated batch and epoch.

    The state is advanced in place and can be stored whenever a step or an epoch is yielded. After the last epoch its
    network gets the weights the recipe keeps, and the test follows.

    Args:
        recipe: What to do.
        state: Where the training stands.
        prepared: Image and mask by case id.
        split: The three parts.
        chance: What decides case order and dropout.
        device: Where the network is.

    Raises:
        UserError: The training loss is not a number.
    """
    fit = recipe.fit
    while state.epoch < fit.epochs:
        started = time.perf_counter()
        train_loss = yield from _fit_epoch(recipe, state, prepared, split.train, chance, device)
        validation_loss, listed = yield from _evaluate(
            recipe, state.net, prepared, split.validation, device, "validation", recipe.score
        )
        if state.schedule:
            state.schedule.step(validation_loss)
        if fit.keep == "lowest-validation-loss":
            state.keep_if_lowest(validation_loss)
        rate = state.optimizer.param_groups[0]["lr"]
        state.end_epoch()
        seconds = time.perf_counter() - started
        yield Epoch(state.epoch - 1, train_loss, validation_loss, listed, rate, seconds)
    if state.kept is not None:
        state.net.load_state_dict(state.kept)
    if recipe.test is not None:
        yield from _evaluate(recipe, state.net, prepared, split.test, device, "test", recipe.test)


def _fit_epoch(
    recipe: Recipe,
    state: State,
    prepared: Mapping[str, tuple[Tensor, Tensor]],
    ids: Sequence[str],
    chance: Chance,
    device: torch.device | str,
) -> Generator[Step, None, float]:
    state.net.train()
    for image, mask, names in _batches(recipe, state, prepared, ids, chance):
        chance.start_step(state.step)
        state.optimizer.zero_grad()
        loss = recipe.loss(state.net(image.to(device)), mask.to(device))
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        state.losses.append(loss.detach())
        state.counts.append(len(names))
        state.step += 1
        yield Step(state.epoch, state.step - 1, tuple(names), state.losses[-1])
    mean = _mean(state.losses, state.counts, recipe.fit)
    if mean != mean:
        raise UserError(
            f"the training loss of epoch {state.epoch + 1} is not a number; lower fit.rate (now {recipe.fit.rate}) "
            "or look at the images"
        )
    return mean


def _batches(
    recipe: Recipe,
    state: State,
    prepared: Mapping[str, tuple[Tensor, Tensor]],
    ids: Sequence[str],
    chance: Chance,
) -> Iterator[tuple[Tensor, Tensor, Sequence[str]]]:
    """Return the batches of the running epoch that are still to be done."""
    loader = DataLoader(PreparedCases(prepared, ids), batch_size=recipe.fit.batch_size, shuffle=True)
    if state.order_from is None:
        chance.start_epoch(state.epoch)
    with state.order() as done:
        # The loader draws the order when its first batch is asked for.
        for _ in range(chance.spare_orders):
            next(iter(loader))
        batches = iter(loader)
        first = [next(batches) for _ in range(max(done, 1))][done:]
    return itertools.chain(first, batches)


@torch.no_grad()
def _evaluate(
    recipe: Recipe,
    net: nn.Module,
    prepared: Mapping[str, tuple[Tensor, Tensor]],
    ids: Sequence[str],
    device: torch.device | str,
    phase: Literal["validation", "test"],
    score: Score,
) -> Generator[Evaluated, None, tuple[float, tuple[float, ...]]]:
    net.eval()
    losses, counts, listed = [], [], []
    for image, mask, names in DataLoader(PreparedCases(prepared, ids), batch_size=recipe.fit.batch_size):
        output, target = net(image.to(device)), mask.to(device)
        losses.append(recipe.loss(output, target, validating=True))
        counts.append(len(names))
        listed.append(score(output, target))
        yield Evaluated(phase, tuple(names), output, losses[-1], listed[-1], score.cases(output, target))
    return _mean(losses, counts, recipe.fit), score.collected(listed)


def _mean(losses: Sequence[Tensor], counts: Sequence[int], fit: Fit) -> float:
    values = torch.stack(list(losses)).double().cpu()
    weights = torch.tensor(counts, dtype=torch.float64) if fit.epoch_loss == "cases" else torch.ones_like(values)
    return float((values * weights).sum() / weights.sum())
