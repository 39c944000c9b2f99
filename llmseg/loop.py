"""The one training loop. It yields what happens and knows nothing of whose recipe it runs."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader

from llmseg.data.prepared import PreparedCases
from llmseg.errors import UserError
from llmseg.fit import Fit
from llmseg.recipe import Recipe, Score, Split

_OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


@dataclass(frozen=True)
class Chance:
    """What decides case order and dropout.

    Attributes:
        seed: The run's seed.
        per_epoch: Whether each epoch and step start from numbers of their own, so that an epoch does not depend on
            how many numbers were drawn before it. Otherwise one stream runs through the whole training.
    """

    seed: int
    per_epoch: bool

    def start_epoch(self, epoch: int) -> None:
        """Set torch's generators before the order of an epoch is drawn."""
        if self.per_epoch:
            torch.manual_seed(1000 * (self.seed + 1) + epoch)

    def start_step(self, step: int) -> None:
        """Set torch's generators before the forward pass of a step, counted over all epochs."""
        if self.per_epoch:
            torch.manual_seed(1000 * (self.seed + 1) + 500 + step)


@dataclass(frozen=True)
class Step:
    """A training step whose gradients are computed and not yet applied."""

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
    net: nn.Module,
    prepared: Mapping[str, tuple[Tensor, Tensor]],
    split: Split,
    *,
    chance: Chance,
    device: torch.device | str = "cpu",
    epochs: int | None = None,
) -> Iterator[Event]:
    """Train, validate and test; yield every step, evaluated batch and epoch as it happens.

    The network is changed in place. After the last epoch it has the weights the recipe keeps, and the test
    follows.

    Args:
        recipe: What to do.
        net: The network.
        prepared: Image and mask by case id.
        split: The three parts.
        chance: What decides case order and dropout.
        device: Where to compute.
        epochs: Number of epochs instead of the recipe's.

    Raises:
        UserError: The training loss is not a number.
    """
    fit = recipe.fit
    net.to(device)
    optimizer = _OPTIMIZERS[fit.optimizer](net.parameters(), lr=fit.rate, weight_decay=fit.decay)  # type: ignore[call-arg]
    schedule = fit.schedule and ReduceLROnPlateau(
        optimizer, mode="min", factor=fit.schedule.factor, patience=fit.schedule.patience
    )
    loader = DataLoader(PreparedCases(prepared, split.train), batch_size=fit.batch_size, shuffle=True)
    lowest, kept, step = float("inf"), None, 0
    for epoch in range(epochs or fit.epochs):
        started = time.perf_counter()
        chance.start_epoch(epoch)
        train_loss = yield from _fit_epoch(recipe, net, loader, optimizer, chance, device, epoch, step)
        step += len(loader)
        validation_loss, listed = yield from _evaluate(
            recipe, net, prepared, split.validation, device, "validation", recipe.score
        )
        if schedule:
            schedule.step(validation_loss)
        if fit.keep == "lowest-validation-loss" and validation_loss < lowest:
            lowest, kept = validation_loss, {name: t.detach().clone() for name, t in net.state_dict().items()}
        rate = optimizer.param_groups[0]["lr"]
        yield Epoch(epoch, train_loss, validation_loss, listed, rate, time.perf_counter() - started)
    if kept is not None:
        net.load_state_dict(kept)
    if recipe.test is not None:
        yield from _evaluate(recipe, net, prepared, split.test, device, "test", recipe.test)


def _fit_epoch(
    recipe: Recipe,
    net: nn.Module,
    loader: DataLoader[tuple[Tensor, Tensor, str]],
    optimizer: torch.optim.Optimizer,
    chance: Chance,
    device: torch.device | str,
    epoch: int,
    first_step: int,
) -> Generator[Step, None, float]:
    net.train()
    losses, counts = [], []
    for index, (image, mask, ids) in enumerate(loader, start=first_step):
        chance.start_step(index)
        optimizer.zero_grad()
        loss = recipe.loss(net(image.to(device)), mask.to(device))
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
        counts.append(len(ids))
        yield Step(epoch, index, tuple(ids), losses[-1])
        optimizer.step()
    mean = _mean(losses, counts, recipe.fit)
    if mean != mean:
        raise UserError(
            f"the training loss of epoch {epoch + 1} is not a number; lower fit.rate (now {recipe.fit.rate}) "
            "or look at the images"
        )
    return mean


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
