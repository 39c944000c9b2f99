"""The one training loop: :func:`run_loop` trains, validates and tests, and yields what happens as events.

It does not know whose recipe it runs. What becomes of the events is decided by whoever iterates: ``job.py`` shows a
progress bar and writes files, the replay compares each step with a record.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from llmseg.data.prepared_cases import PreparedCases
from llmseg.errors import UserError
from llmseg.recipe.augment import augment_batch
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score
from llmseg.recipe.splits import Split
from llmseg.training.case_order import make_loader
from llmseg.training.events import Epoch, EvaluatedBatch, Event, Step
from llmseg.training.freed_memory import keep_freed_memory
from llmseg.training.memory import split_forward
from llmseg.training.numerics import EXACT_NUMERICS, Forward, Numerics
from llmseg.training.observing.marks import DATA, OPTIMIZER, mark
from llmseg.training.processes import ALONE, World
from llmseg.training.random_streams import RandomStreams, choose_seed
from llmseg.training.state import State


class NotANumber(UserError):
    """The loss of an epoch, counted from 0, is not a number, or infinite."""

    def __init__(self, epoch: int, rate: float, loss: float = math.nan, kind: str = "training") -> None:
        what = "not a number" if math.isnan(loss) else "infinite"
        super().__init__(
            f"the {kind} loss of epoch {epoch + 1} is {what}; lower fit.rate (now {rate}) or look at the images"
        )

    def add(self, text: str) -> None:
        """Add to the message."""
        self.args = (f"{self}; {text}",)


def draw_start(
    recipe: Recipe, ids: Sequence[str], seed: int, size: tuple[int, int], weights: Mapping[str, Tensor] | None = None
) -> tuple[Split, nn.Module]:
    """Draw split and weights in the order in which a script draws them from torch's generator.

    Args:
        recipe: The recipe.
        ids: Case ids in listing order.
        seed: The run's seed; a recipe with a seed of its own ignores it.
        size: Height and width of the prepared cases.
        weights: The weights to start from, instead of those that are drawn.

    Raises:
        UserError: The split leaves no batch for a part that the recipe uses.

    Example:
        >>> from llmseg import zoo
        >>> ids = [str(number) for number in range(20)]
        >>> split, net = draw_start(zoo.TEXTBOOK, ids, seed=0, size=(64, 64))
        >>> len(split.train), len(split.validation), len(split.test)
        (16, 2, 2)
    """
    torch.manual_seed(choose_seed(recipe.fit, seed))
    split = recipe.split(ids, torch.default_generator)
    _check_parts(recipe, split)
    channels = recipe.images.channels
    # A network that gets its weights from a run needs no published ones.
    net = recipe.net.start(channels) if weights is None else recipe.net.build(channels)
    if weights is not None:
        net.load_state_dict(weights)
    if recipe.fit.own_seed is not None:
        # Before they train, these scripts print a summary of the network, which draws a batch of random images from the
        # one stream they seed. The same numbers are drawn here, so that later case orders are theirs.
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

    The state is changed in place. Whenever a step or an epoch is yielded, it can be stored and continued from. After
    the last epoch, the network gets the weights that the recipe keeps, and the test follows. From the first step of an
    epoch to its last, nothing waits for the device.

    Args:
        recipe: What to do.
        state: Where the training stands. The device of its network is the device of the training.
        prepared: The cases.
        split: The three parts.
        streams: What decides case order and dropout.
        numerics: How the device computes.
        world: The processes that train together; all make the same call.
        at_once: Cases that pass through the network of a process together; ``None`` for its whole part of the batch.

    Raises:
        NotANumber: The training loss is not a number or infinite, or weights are.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.data import SyntheticStore, prepare_cases
        >>> recipe = zoo.TEXTBOOK.change("images.size", (32, 32)).change("fit.epochs", 1)
        >>> recipe = recipe.change("net.encoder", (4, 8, 16, 32)).change("net.decoder", (32, 16, 8, 4))
        >>> store = SyntheticStore("fundus", count=12)
        >>> split, net = draw_start(recipe, store.ids, seed=0, size=(32, 32))
        >>> state, streams = State.begin(recipe.fit, net), RandomStreams(seed=0, per_epoch=True)
        >>> prepared = prepare_cases(store, recipe.images)
        >>> [type(event).__name__ for event in run_loop(recipe, state, prepared, split, streams=streams)]
        ['Step', 'EvaluatedBatch', 'Epoch', 'EvaluatedBatch']
    """

    def build_forward(net: nn.Module) -> Forward:
        return world.share(split_forward(numerics.build_forward(net), at_once))

    forward = build_forward(world.wrap(state.net))
    # A second function, and a second compilation, only where another network is evaluated than is trained.
    evaluated = forward if state.average is None else build_forward(state.evaluated_net)
    loop = _Loop(recipe, state, prepared, streams, forward, evaluated)
    fit = recipe.fit
    with numerics.set_switches(), keep_freed_memory():
        while state.epoch < fit.epochs:
            started = time.perf_counter()
            train_loss = yield from loop.train_epoch(split.train)
            validation_loss, listed = yield from loop.evaluate(split.validation, "validation", recipe.score)
            if not math.isfinite(validation_loss) and not loop.computes_numbers(split.validation):
                # The loss of a step is computed before it changes the weights, so the last one shows only here. A loss
                # of not-a-number from sound outputs is the recipe's own, as a Dice without smoothing of empty masks.
                raise NotANumber(state.epoch, fit.rate, validation_loss, "validation")
            state.change_rate(validation_loss)
            if fit.keep == "lowest-validation-loss":
                state.keep_if_lowest(validation_loss)
            rate = state.optimizer.param_groups[0]["lr"]
            # Before the event: whoever stores the state on it must find the epoch completed.
            state.end_epoch()
            seconds = time.perf_counter() - started
            yield Epoch(state.epoch - 1, train_loss, validation_loss, listed, rate, seconds)
        if state.kept is not None:
            state.evaluated_net.load_state_dict(state.kept)
        if recipe.test is not None:
            yield from loop.evaluate(split.test, "test", recipe.test)


@dataclass(frozen=True)
class _Loop:
    """What the epochs of a training share. ``forward`` trains; ``evaluated`` is for validation and test."""

    recipe: Recipe
    state: State
    prepared: PreparedCases
    streams: RandomStreams
    forward: Forward
    evaluated: Forward

    def train_epoch(self, ids: Sequence[str]) -> Generator[Step, None, float]:
        """Train one epoch, or what is left of it, and return its loss."""
        state = self.state
        state.net.train()
        for names in self._iterate_batches(ids):
            with mark(DATA):
                image, mask = self.prepared.batch(names, state.device)
                image_seed = self.streams.choose_image_seed(state.step)
                image, mask = augment_batch(self.recipe.fit.augment, image, mask, image_seed)
            self.streams.seed_step(state.step)
            state.optimizer.zero_grad()
            loss = self.recipe.loss(self.forward(image), mask)
            state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            with mark(OPTIMIZER):
                state.scaler.step(state.optimizer)
                state.scaler.update()
                state.update_average()
            # Losses stay on the device until the epoch ends: reading one would wait for the step to be computed.
            state.losses.append(loss.detach())
            state.counts.append(len(names))
            state.step += 1
            yield Step(state.epoch, state.step - 1, tuple(names), state.losses[-1])
        mean = self._average_losses(state.losses, state.counts)
        if not math.isfinite(mean):
            raise NotANumber(state.epoch, self.recipe.fit.rate, mean)
        return mean

    @torch.no_grad()
    def evaluate(
        self, ids: Sequence[str], phase: Literal["validation", "test"], score: Score
    ) -> Generator[EvaluatedBatch, None, tuple[float, tuple[float, ...]]]:
        """Evaluate some cases in order; return the mean loss and the scores that the script lists."""
        self.state.evaluated_net.eval()
        losses, counts, listed = [], [], []
        fit = self.recipe.fit
        batch_size = fit.batch_size_in_test if phase == "test" else fit.batch_size
        for names in make_loader(ids, batch_size, shuffle=False, drop_last=fit.drop_last):
            image, target = self.prepared.batch(names, self.state.device)
            output = self.evaluated(image)
            losses.append(self.recipe.loss(output, target, validating=True))
            counts.append(len(names))
            listed.append(score(output, target))
            yield EvaluatedBatch(phase, tuple(names), output, losses[-1], listed[-1], score.score_cases(output, target))
        return self._average_losses(losses, counts), score.collect(listed)

    @torch.no_grad()
    def computes_numbers(self, ids: Sequence[str]) -> bool:
        """Return whether all weights, and what the network makes of some cases, are finite."""
        # Weights of 1e30 are finite, and what a network makes of them is not.
        if not _has_finite_weights(self.state.net):
            return False
        self.state.evaluated_net.eval()
        fit = self.recipe.fit
        batches = make_loader(ids, fit.batch_size, shuffle=False, drop_last=fit.drop_last)
        images = (self.prepared.batch(names, self.state.device)[0] for names in batches)
        # All batches, also after one that is not finite: processes that train together have to make the same calls.
        finite = [bool(self.evaluated(image).isfinite().all()) for image in images]
        return all(finite)

    def _iterate_batches(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """Return the batches of the running epoch that are still to be trained on."""
        fit = self.recipe.fit
        loader = make_loader(
            ids, fit.batch_size, shuffle=True, drop_last=fit.drop_last, shuffle_buffer=fit.fixed_batches
        )
        if self.state.order_from is None:
            self.streams.seed_epoch(self.state.epoch)
        # An epoch that was interrupted draws its order again, from the state the generator had then, and skips the
        # batches that are done. Inside the block the generator has that state.
        with self.state.draw_order() as done:
            for _ in range(self.streams.discarded_orders):
                next(iter(loader))
            batches = iter(loader)
            # A loader draws its order only when its first batch is asked for. So at least one batch is asked for inside
            # the block, also when none is done; the slice keeps it then.
            remaining = [next(batches) for _ in range(max(done, 1))][done:]
        return itertools.chain(remaining, batches)

    def _average_losses(self, losses: Sequence[Tensor], counts: Sequence[int]) -> float:
        values = torch.stack(list(losses)).double().cpu()
        if self.recipe.fit.epoch_loss == "batches-over-cases":
            return float(values.sum() / sum(counts))
        by_case = self.recipe.fit.epoch_loss == "cases"
        weights = torch.tensor(counts, dtype=torch.float64) if by_case else torch.ones_like(values)
        return float((values * weights).sum() / weights.sum())


def _has_finite_weights(net: nn.Module) -> bool:
    return all(bool(weights.isfinite().all()) for weights in net.parameters())


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
