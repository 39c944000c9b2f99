"""Where a training stands: everything that an interrupted training needs to end as an uninterrupted one does."""

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
        net: The network that is trained.
        optimizer: What changes its weights.
        schedule: What changes the learning rate; ``None`` if it is constant.
        scaler: Scales the loss in fp16, so that small gradients do not vanish. It does nothing in other precisions.
        average: The moving average of the weights; ``None`` if the recipe has none.
        epoch: Number of epochs completed.
        step: Number of steps taken, over all epochs.
        losses: The loss of every step of the running epoch, scalars on the device.
        counts: The number of cases in each of these steps.
        lowest: The lowest validation loss so far, if the recipe keeps the weights of that epoch.
        kept: The weights of that epoch.
        order_from: The state that torch's generator had when the order of the running epoch was drawn; ``None`` between
            two epochs.

    Example:
        >>> from llmseg import zoo
        >>> recipe = zoo.get("bing-copilot").recipe
        >>> state = State.begin(recipe.fit, recipe.net.build(1))
        >>> state.epoch, state.step
        (0, 0)
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
        """Return the state before the first step. The network must be on its device already."""
        device = next(net.parameters()).device
        optimizer = build_optimizer(fit, net.parameters(), fused=numerics.fused)
        state = cls(net, optimizer, None, GradScaler(device.type, enabled=numerics.precision == "fp16"))
        state.schedule = build_schedule(fit, optimizer)
        state.average = None if fit.average is None else build_average(net, fit.average)
        return state

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next(self.net.parameters()).device

    @property
    def evaluated_net(self) -> nn.Module:
        """The network that is validated, tested and stored: the average of the weights, where there is one."""
        return self.net if self.average is None else self.average.module

    def update_average(self) -> None:
        """Add the weights after a step, and the running statistics of batch norm, to their average."""
        if self.average is not None:
            self.average.update_parameters(self.net)

    def change_rate(self, validation_loss: float) -> None:
        """Set the learning rate of the next epoch."""
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(validation_loss)
        elif self.schedule is not None:
            self.schedule.step()

    def keep_if_lowest(self, validation_loss: float) -> None:
        """Keep a copy of the weights if their validation loss is strictly the lowest so far."""
        if validation_loss < self.lowest:
            self.lowest = validation_loss
            self.kept = {name: tensor.detach().clone() for name, tensor in self.evaluated_net.state_dict().items()}

    def end_epoch(self) -> None:
        """Count the running epoch as completed and forget its losses and its order."""
        self.epoch += 1
        self.losses, self.counts, self.order_from = [], [], None

    @contextmanager
    def draw_order(self) -> Iterator[int]:
        """Let the block draw the order of the running epoch; give the number of its batches that are already done.

        If the epoch begins, the state of torch's generator is noted, and the block takes its numbers from there. If the
        epoch was interrupted, the generator is set back to the noted state for the block, so that the same order comes
        out. Storing this state needs 5 kB whatever the number of cases, and no part of the order.
        """
        if self.order_from is None:
            self.order_from = torch.get_rng_state()
            yield 0
            return
        after_last_step = torch.get_rng_state()
        torch.set_rng_state(self.order_from)
        yield len(self.losses)
        # The steps that follow go on in the stream where the interrupted training left it.
        torch.set_rng_state(after_last_step)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, and the states of torch's generators, as tensors and plain values."""
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
        # torch warns of a schedule that goes on before its optimizer has stepped, and this optimizer is new. No weight
        # has a gradient yet, so the step changes nothing but torch's notion of it.
        self.optimizer.step()
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
