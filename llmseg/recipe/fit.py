"""How a network is trained: batch size, epochs, optimizer, learning rate, schedule, and which weights are kept.

These are fields only; :mod:`llmseg.training` carries them out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from llmseg.errors import UserError
from llmseg.recipe.augment import Augment
from llmseg.recipe.part import Part


@dataclass(frozen=True, kw_only=True)
class Plateau(Part):
    """Reduce the learning rate when the validation loss stops falling (torch's ``ReduceLROnPlateau``).

    The usual values are torch's defaults.

    Attributes:
        factor: What the learning rate is multiplied with, below 1.
        patience: Epochs without a better validation loss before the learning rate is reduced.
    """

    factor: float
    patience: int

    USUAL: ClassVar[Mapping[str, Any]] = {"factor": 0.1, "patience": 10}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.factor < 1 or self.patience < 0:
            raise UserError(
                f"a schedule of factor {self.factor} and patience {self.patience}: the factor must lie between "
                "0 and 1, the patience must not be negative"
            )


@dataclass(frozen=True, kw_only=True)
class Cosine(Part):
    """Raise the learning rate linearly, then lower it along half a cosine.

    The usual values are torch's defaults (``CosineAnnealingLR``): no warm-up, and down to 0.

    Attributes:
        warmup: Epochs before the first one with the whole learning rate.
        final: Share of the learning rate that the cosine reaches; the epoch after the last would have it.

    Example:
        >>> cosine = Cosine(warmup=1, final=0.0)
        >>> [round(cosine.rate_factor(epoch, 5), 3) for epoch in range(5)]
        [0.5, 1.0, 0.854, 0.5, 0.146]
    """

    warmup: int
    final: float

    USUAL: ClassVar[Mapping[str, Any]] = {"warmup": 0, "final": 0.0}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup < 0 or not 0 <= self.final <= 1:
            raise UserError(
                f"a schedule of warmup {self.warmup} and final {self.final}: the warm-up must not be negative, the "
                "final share must lie between 0 and 1"
            )

    def rate_factor(self, epoch: int, epochs: int) -> float:
        """Return what the learning rate is multiplied with in an epoch, counted from 0."""
        if epoch < self.warmup:
            return (epoch + 1) / (self.warmup + 1)
        # A warm-up as long as the training leaves no epochs for the cosine, hence at least 1.
        done = min(1.0, (epoch - self.warmup) / max(1, epochs - self.warmup))
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, kw_only=True)
class OwnSeed(Part):
    """The seed that a script sets itself. Weights, case order and a random split come from its one random generator.

    Attributes:
        seed: The seed that the script sets.
        summary_batch: Batch size of the model summary that the script prints before the training, 0 for no summary. The
            summary runs the network on uniform random numbers, one per input value. They come from the same generator,
            so every later case order is another one.
        spare_orders: Number of case orders that are drawn in every epoch and thrown away before the one that is used.
            A script that opens its training loader twice has one.

    Raises:
        UserError: A number is negative.

    Example:
        >>> OwnSeed(seed=42, summary_batch=1, spare_orders=0).seed
        42
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
    """How the weights are trained.

    Attributes:
        batch_size: Cases per step. The last batch of an epoch takes what is left.
        test_batch_size: Batch size in the test, ``None`` for that of the training.
        epochs: Passes over the training cases.
        fixed_batches: ``None`` if the cases are shuffled before each epoch and then cut into batches. A number if they
            are cut into batches once, in the order of the split. The batches, not the cases, then pass through a
            shuffle buffer of this many batches; with 1 their order stays the same, too.
        drop_last: Whether a last batch that is not full is left out, in training, validation and test.
        optimizer: ``adam`` or ``adamw``, with torch's defaults for the moments. ``keras-adam`` follows Keras: it adds
            its epsilon of 1e-7 before the second moment is corrected for its start from zero, not after.
        rate: Learning rate.
        decay: Weight decay.
        schedule: How the learning rate changes, ``None`` for never.
        average: Decay of a moving average of the weights, ``None`` for no average. The average is validated, tested and
            stored instead of the weights themselves. Below 1. The n-th step after the first keeps
            ``min(average, (1 + n) / (10 + n))`` of it, so that a short training forgets its initial weights.
        augment: How the images of a training step are changed at random, ``None`` for not at all.
        keep: Which weights are tested and stored: those of the last epoch, or those of the epoch with the lowest
            validation loss (the first of several that are equal).
        epoch_loss: How the loss of an epoch is computed. ``batches``: the mean over batches; a short last batch counts
            like a full one. ``cases``: the mean over cases. ``batches-over-cases``: the sum of the batches'
            means divided by the number of cases.
        own_seed: The seed that the script sets itself, ``None`` if it leaves weights and case order to chance.

    Raises:
        UserError: A batch size or a number of epochs is below 1, the learning rate is not above 0, or the average is
            negative or not below 1.
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
        """Batch size in the test."""
        return self.test_batch_size or self.batch_size

    def count_steps(self, cases: int) -> int:
        """Return the number of steps of an epoch over so many training cases."""
        return cases // self.batch_size if self.drop_last else -(-cases // self.batch_size)

    def count_images(self, cases: int) -> int:
        """Return how many of so many training cases the network sees in an epoch."""
        return cases // self.batch_size * self.batch_size if self.drop_last else cases
