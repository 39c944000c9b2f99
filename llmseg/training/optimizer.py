"""The optimizer, its learning rate over epochs, and the moving average of the weights, as ``fit`` names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from llmseg.recipe.fit import Cosine, Fit

EPSILON = 1e-7


class KerasAdam(torch.optim.Adam):
    """Adam with Keras's epsilon, which is added to the root of the second moment before its bias is corrected.

    That is the other order of D. P. Kingma and J. Ba, Adam (2015), at the end of section 2. In step t it equals torch's
    Adam with an epsilon of ``1e-7 / sqrt(1 - beta2 ** t)``, so the first steps are damped more than torch's.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(1))
        >>> weight.grad = torch.tensor([1e-6])
        >>> KerasAdam([weight], lr=1.0).step()
        >>> round(weight.item(), 4)  # torch's own Adam goes to -0.99 for its own epsilon, -0.909 for this one
        -0.2403
    """

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take a step with the gradients of the parameters; returns what ``closure`` does."""
        for group in self.param_groups:
            # Kept in the group, so that a stored state holds it.
            group["steps"] = group.get("steps", 0) + 1
            group["eps"] = EPSILON / (1 - group["betas"][1] ** group["steps"]) ** 0.5
        return super().step(closure)


_OPTIMIZERS: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "keras-adam": KerasAdam}


def build_optimizer(fit: Fit, parameters: Iterator[nn.Parameter], *, fused: bool) -> torch.optim.Optimizer:
    """Return the optimizer that ``fit`` names; ``fused`` takes all its steps in one kernel."""
    options = {"lr": fit.rate, "weight_decay": fit.decay, **({"fused": True} if fused else {})}
    optimizer: torch.optim.Optimizer = _OPTIMIZERS[fit.optimizer](parameters, **options)
    return optimizer


def build_schedule(fit: Fit, optimizer: torch.optim.Optimizer) -> ReduceLROnPlateau | LambdaLR | None:
    """Return what changes the learning rate after every epoch, ``None`` where it is constant."""
    schedule, epochs = fit.schedule, fit.epochs
    if schedule is None:
        return None
    if isinstance(schedule, Cosine):
        return LambdaLR(optimizer, lambda epoch: schedule.rate_factor(epoch, epochs))
    return ReduceLROnPlateau(optimizer, mode="min", factor=schedule.factor, patience=schedule.patience)


def build_average(net: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of the network that follows it; see ``Fit.average``."""

    @torch.no_grad()
    def follow(averages: Any, values: Any, count: Tensor | int) -> None:
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, 1 - min(decay, (1 + int(count)) / (10 + int(count))))
        else:
            torch._foreach_copy_(averages, values)  # counters

    average = AveragedModel(net, multi_avg_fn=follow, use_buffers=True)
    average.requires_grad_(False)
    return average
