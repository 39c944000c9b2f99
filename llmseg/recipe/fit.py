"""Optimisation: the fields that say how a network is fitted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from llmseg.errors import UserError
from llmseg.recipe.augment import Augment
from llmseg.recipe.part import Part


@dataclass(frozen=True, kw_only=True)
class Plateau(Part):
    """Reduce the rate when the validation loss stops falling (``torch.optim.lr_scheduler.ReduceLROnPlateau``).

    Attributes:
        factor: What the rate is multiplied with, below 1.
        patience: Epochs without a better validation loss that are still accepted.
    """

    factor: float
    patience: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.factor < 1 or self.patience < 0:
            raise UserError(
                f"a schedule of factor {self.factor} and patience {self.patience}: the factor must lie between "
                "0 and 1, the patience must not be negative"
            )


@dataclass(frozen=True, kw_only=True)
class Cosine(Part):
    """Raise the rate linearly, then lower it along half a cosine.

    Attributes:
        warmup: Epochs before the first with the whole rate.
        final: Share of the rate that would follow the last epoch.

    Example:
        >>> cosine = Cosine(warmup=1, final=0.0)
        >>> [round(cosine.rate_factor(epoch, 5), 3) for epoch in range(5)]
        [0.5, 1.0, 0.854, 0.5, 0.146]
    """

    warmup: int
    final: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup < 0 or not 0 <= self.final <= 1:
            raise UserError(
                f"a schedule of warmup {self.warmup} and final {self.final}: the warm-up must not be negative, the "
                "final share must lie between 0 and 1"
            )

    def rate_factor(self, epoch: int, epochs: int) -> float:
        """Return what the rate is multiplied with in an epoch, counted from 0."""
        if epoch < self.warmup:
            return (epoch + 1) / (self.warmup + 1)
        done = min(1.0, (epoch - self.warmup) / max(1, epochs - self.warmup))
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, kw_only=True)
class OwnSeed(Part):
    """A script that seeds itself: weights, case order and a random split come from one stream of random numbers.

    Attributes:
        seed: The seed the script sets.
        summary_batch: Batch size of the model summary that the script prints before training. The summary draws
            one uniform number per input value from the same stream, which shifts every later case order.
        spare_orders: Case orders that are drawn in every epoch and thrown away before the one that is used: a script
            that opens its training loader twice has one.

    Raises:
        UserError: A number is negative.
    """

    seed: int
    summary_batch: int
    spare_orders: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("seed", "summary_batch", "spare_orders"):
            if getattr(self, name) < 0:
                raise UserError(f"fit.own_seed.{name} is {getattr(self, name)}; it must not be negative")


@dataclass(frozen=True, kw_only=True)
class Fit(Part):
    """How the weights are found.

    Attributes:
        batch_size: Cases per step; the last step of an epoch takes what is left.
        test_batch_size: Cases at once in the test, ``None`` for as many as in training.
        epochs: Passes over the training cases.
        fixed_batches: ``None`` where the cases are shuffled before each epoch and then cut into batches. Otherwise they
            are cut once, in the order of the split, and the batches pass through a shuffle buffer of this many: 1
            leaves their order alone, too.
        drop_last: Whether batches that are short are left out, in validation and test, too.
        optimizer: ``adam`` or ``adamw``, with the framework's default moments; ``keras-adam`` adds 1e-7 to the root of
            the second moment before that is corrected for its start from zero, as Keras does.
        rate: Learning rate.
        decay: Weight decay.
        schedule: How the rate changes, ``None`` for never.
        average: Decay of the moving average of the weights that is validated, tested and stored instead of the
            weights themselves: the n-th step after the first keeps ``min(average, (1 + n) / (10 + n))`` of it, so
            that a short training forgets where it began. Below 1; ``None`` for no average.
        augment: How the images of a training step are changed, ``None`` for not at all.
        keep: Weights that are tested and stored: those of the last epoch, or of the epoch with the strictly
            lowest validation loss.
        epoch_loss: What the epoch's loss is the mean of: batches (a short last one counts as much as any) or cases;
            or the sum of the batches' means over the number of cases.
        own_seed: The seed the script sets itself, ``None`` if it leaves weights and case order to chance.

    Raises:
        UserError: A size, number of epochs or rate below what makes sense.
    """

    batch_size: int
    test_batch_size: int | None
    epochs: int
    fixed_batches: int | None
    drop_last: bool
    optimizer: Literal["adam", "adamw", "keras-adam"]
    rate: float
    decay: float
    schedule: Plateau | Cosine | None
    average: float | None
    augment: Augment | None
    keep: Literal["last", "lowest-validation-loss"]
    epoch_loss: Literal["batches", "cases", "batches-over-cases"]
    own_seed: OwnSeed | None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise UserError(f"fit.{name} is {getattr(self, name)}; it must be at least 1")
        if self.test_batch_size is not None and self.test_batch_size < 1:
            raise UserError(f"fit.test_batch_size is {self.test_batch_size}; it must be at least 1, or none")
        if self.fixed_batches is not None and self.fixed_batches < 1:
            raise UserError(f"fit.fixed_batches is {self.fixed_batches}; it must be at least 1, or none")
        if not self.rate > 0:
            raise UserError(f"fit.rate is {self.rate}; it must be above 0")
        if self.average is not None and not 0 <= self.average < 1:
            raise UserError(f"fit.average is {self.average}; it must be at least 0 and below 1, or none")

    @property
    def batch_size_in_test(self) -> int:
        """Cases at once in the test."""
        return self.test_batch_size or self.batch_size
