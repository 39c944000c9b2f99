"""What changes the weights: optimizer, learning-rate schedule and moving average, built as ``fit`` names them.

The names and numbers themselves are fields of :class:`llmseg.recipe.fit.Fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from llmseg.recipe.fit import Cosine, Fit

EPSILON = 1e-7
"""Keras's default; torch's is 1e-8."""


class KerasAdam(torch.optim.Adam):
    """Adam as Keras has it: epsilon is added to the root of the second moment before the bias of that is corrected.

    This is the second form of the algorithm in D. P. Kingma and J. Ba, Adam (2015), at the end of section 2. In step t
    it equals torch's Adam with an epsilon of ``1e-7 / sqrt(1 - beta2 ** t)``. So the first steps are damped more.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(1))
        >>> weight.grad = torch.tensor([1e-6])
        >>> KerasAdam([weight], lr=1.0).step()
        >>> round(weight.item(), 4)  # torch's own Adam goes to -0.99 for its own epsilon, -0.909 for this one
        -0.2403
    """

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take a step with the gradients of the parameters; return what ``closure`` returns."""
        for group in self.param_groups:
            # Counted in the group, because groups are part of the state that a checkpoint stores.
            group["steps"] = group.get("steps", 0) + 1
            group["eps"] = EPSILON / (1 - group["betas"][1] ** group["steps"]) ** 0.5
        return super().step(closure)


_OPTIMIZERS: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "keras-adam": KerasAdam}


def build_optimizer(fit: Fit, parameters: Iterator[nn.Parameter], *, fused: bool) -> torch.optim.Optimizer:
    """Return the optimizer that ``fit`` names.

    Args:
        fit: Names optimizer, learning rate and weight decay.
        parameters: What it changes.
        fused: Whether it updates all parameters in one kernel, which is faster and rounds differently.
    """
    options = {"lr": fit.rate, "weight_decay": fit.decay, **({"fused": True} if fused else {})}
    optimizer: torch.optim.Optimizer = _OPTIMIZERS[fit.optimizer](parameters, **options)
    return optimizer


def build_schedule(fit: Fit, optimizer: torch.optim.Optimizer) -> ReduceLROnPlateau | LambdaLR | None:
    """Return what changes the learning rate after every epoch; ``None`` if it is constant."""
    schedule, epochs = fit.schedule, fit.epochs
    if schedule is None:
        return None
    if isinstance(schedule, Cosine):
        return LambdaLR(optimizer, lambda epoch: schedule.rate_factor(epoch, epochs))
    return ReduceLROnPlateau(optimizer, mode="min", factor=schedule.factor, patience=schedule.patience)


def build_average(net: nn.Module, decay: float) -> AveragedModel:
    """Return a moving average of a network's weights, which is a network itself; see ``Fit.average``.

    Args:
        net: The network.
        decay: Share of the average that stays in each step; the rest comes from the new weights.
    """

    @torch.no_grad()
    def follow(averages: Any, values: Any, count: Tensor | int) -> None:
        if averages[0].is_floating_point():
            # The first averages would be little more than the random start: after n updates at most (1 + n) / (10 + n)
            # of it stay, which passes 0.999 after some 9,000 updates. TensorFlow's moving averages have the same rule.
            torch._foreach_lerp_(averages, values, 1 - min(decay, (1 + int(count)) / (10 + int(count))))
        else:
            torch._foreach_copy_(averages, values)  # batch norm counts its batches in whole numbers

    average = AveragedModel(net, multi_avg_fn=follow, use_buffers=True)
    average.requires_grad_(False)
    return average
