"""Where a training stands: everything a continued training needs to end as an uninterrupted one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from llmseg.recipe.fit import Fit
from llmseg.training.numerics import EXACT_NUMERICS, Numerics
from llmseg.training.optimizer import build_average, build_optimizer, build_schedule


@dataclass
class State:
    """The state of a training between two steps.

    Attributes:
        net: The network.
        optimizer: Its optimiser.
        schedule: What changes the rate, ``None`` for a constant one.
        scaler: What keeps gradients of half precision from vanishing; does nothing in other precisions.
        average: The moving average of the weights, ``None`` if the recipe takes none.
        epoch: Epochs completed.
        step: Steps taken over all epochs.
        losses: Losses of the steps of the running epoch.
        counts: Their numbers of cases.
        lowest: Lowest validation loss so far, where the recipe keeps its weights.
        kept: Those weights.
        order_from: State of torch's generator from which the running epoch's order was drawn; ``None`` between epochs.
    """

    net: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: ReduceLROnPlateau | LambdaLR | None
    scaler: GradScaler
    average: AveragedModel | None = None
    epoch: int = 0
    step: int = 0
    losses: list[Tensor] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    lowest: float = float("inf")
    kept: dict[str, Tensor] | None = None
    order_from: Tensor | None = None

    @classmethod
    def begin(cls, fit: Fit, net: nn.Module, numerics: Numerics = EXACT_NUMERICS) -> State:
        """Return the state before the first step; the network is where it shall be trained."""
        device = next(net.parameters()).device
        optimizer = build_optimizer(fit, net.parameters(), fused=numerics.fused)
        state = cls(net, optimizer, None, GradScaler(device.type, enabled=numerics.precision == "fp16"))
        state.schedule = build_schedule(fit, optimizer)
        state.average = None if fit.average is None else build_average(net, fit.average)
        return state

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.net.parameters()).device

    @property
    def tested(self) -> nn.Module:
        """The network that is validated, tested and stored: the average of the weights, where there is one."""
        return self.net if self.average is None else self.average.module

    def update_average(self) -> None:
        """Let the weights of a step, and the running statistics, enter their average."""
        if self.average is not None:
            self.average.update_parameters(self.net)

    def change_rate(self, validation_loss: float) -> None:
        """Set the rate of the next epoch."""
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(validation_loss)
        elif self.schedule is not None:
            self.schedule.step()

    def keep_if_lowest(self, validation_loss: float) -> None:
        """Keep a copy of the weights if their validation loss is strictly the lowest so far."""
        if validation_loss < self.lowest:
            self.lowest = validation_loss
            self.kept = {name: tensor.detach().clone() for name, tensor in self.tested.state_dict().items()}

    def end_epoch(self) -> None:
        """Count the running epoch as completed."""
        self.epoch += 1
        self.losses, self.counts, self.order_from = [], [], None

    @contextmanager
    def order(self) -> Iterator[int]:
        """Draw the order of the running epoch inside the block, anew or as it was drawn before an interruption.

        Yields the number of batches of that order which are already done.
        """
        if self.order_from is None:
            self.order_from = torch.get_rng_state()
            yield 0
            return
        now = torch.get_rng_state()
        torch.set_rng_state(self.order_from)
        yield len(self.losses)
        torch.set_rng_state(now)

    def to_dict(self) -> dict[str, Any]:
        """Return tensors and plain values only, with the states of torch's generators."""
        return {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict() if self.schedule else None,
            "scaler": self.scaler.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "epoch": self.epoch,
            "step": self.step,
            "losses": self.losses,
            "counts": self.counts,
            "lowest": self.lowest,
            "kept": self.kept,
            "order_from": self.order_from,
            "generator": torch.get_rng_state(),
            "cuda_generators": torch.cuda.get_rng_state_all(),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue from what :meth:`to_dict` gave."""
        self.net.load_state_dict(saved["net"])
        self.optimizer.step()  # Without gradients nothing moves; a schedule warns of an optimiser that never stepped.
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.schedule:
            self.schedule.load_state_dict(saved["schedule"])
        self.scaler.load_state_dict(saved["scaler"])
        if self.average:
            self.average.load_state_dict(saved["average"])
        self.losses = [loss.to(self.device) for loss in saved["losses"]]
        for name in ("epoch", "step", "counts", "lowest", "kept", "order_from"):
            setattr(self, name, saved[name])
        torch.set_rng_state(saved["generator"])
        if saved["cuda_generators"] and torch.cuda.device_count() == len(saved["cuda_generators"]):
            torch.cuda.set_rng_state_all(saved["cuda_generators"])
