"""Where the random numbers of a training come from: the seeds of its epochs, its steps and its start."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from llmseg.recipe.fit import Fit


def choose_seed(fit: Fit, seed: int) -> int:
    """Return the seed a run starts from: the script's own, or the run's if the script sets none."""
    return seed if fit.own_seed is None else fit.own_seed.seed


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
        epochs_before: Epochs of the finished run that this training starts from.
        steps_before: Steps of that run.

    Example:
        >>> RandomStreams(seed=3, per_epoch=True).seed
        3
    """

    seed: int
    per_epoch: bool
    discarded_orders: int = 0
    # Epoch k of run seed s starts from number (s + 1) * spacing + k, step t half a spacing above it. The golden records
    # were made with 1000: there step 1000 of one seed would draw what step 0 of the next one draws. Seeds that are
    # compared must be independent, so new runs leave room for half a billion steps.
    spacing: int = 10**9
    rank: int = 0
    epochs_before: int = 0
    steps_before: int = 0

    @classmethod
    def of_run(cls, fit: Fit, seed: int, rank: int = 0) -> RandomStreams:
        """Return the streams of a run: the script's single one if it seeds itself, else those of the run's seed."""
        own = fit.own_seed
        if own is None:
            return cls(seed, per_epoch=True, rank=rank)
        return cls(seed, per_epoch=False, discarded_orders=own.spare_orders, rank=rank)

    def after(self, epochs: int, steps: int) -> RandomStreams:
        """Return the streams as they go on after a finished run, so that no epoch has the case order of an earlier one.

        A script that seeds itself has one stream, which begins anew.
        """
        return replace(self, epochs_before=epochs, steps_before=steps)

    def seed_epoch(self, epoch: int) -> None:
        """Seed torch's generators before the order of an epoch is drawn."""
        if self.per_epoch:
            torch.manual_seed(self.spacing * (self.seed + 1) + self.epochs_before + epoch)

    def choose_image_seed(self, step: int) -> int:
        """Return the seed for the changes to the images of a step; it is the same in all processes."""
        return (self.spacing * (self.seed + 1) + self.steps_before + step) % 2**64

    def seed_step(self, step: int) -> None:
        """Seed torch's generators before the forward pass of a step, counted over all epochs."""
        if self.per_epoch:
            # Processes lie a hundredth of a spacing apart: they must not drop out the same maps.
            first = self.spacing * (self.seed + 1) + self.spacing // 2 + self.rank * (self.spacing // 100)
            torch.manual_seed(first + self.steps_before + step)
