"""The rules by which the reference runs were made comparable: weights, fixed tensors, the stand-in network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

SEEDS_APART = 1000
"""Epoch k of a record with seed S starts from seed ``1000 (S + 1) + k``, step t from ``1000 (S + 1) + 500 + t``."""


def set_weights(net: nn.Module, places: Mapping[str, int]) -> None:
    """Overwrite all parameters and running statistics by the deterministic rule of the records.

    Weights of (transposed) convolutions are normal numbers from ``RandomState(1000 + i)`` times
    ``sqrt(2 / fan_in)``, i the parameter's place in the original's list; biases are 0, norm weights 1, running
    means 0, running variances 1.

    Args:
        net: The network.
        places: Place in the original's list by our parameter name.
    """
    transposed = {f"{name}.weight" for name, m in net.named_modules() if isinstance(m, nn.ConvTranspose2d)}
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            shape = tuple(parameter.shape)
            if len(shape) == 4:
                fan_in = (shape[0] if name in transposed else shape[1]) * shape[2] * shape[3]
                normal = np.random.RandomState(1000 + places[name]).standard_normal(shape)
                parameter.copy_(torch.from_numpy((normal * np.sqrt(2 / fan_in)).astype(np.float32)))
            else:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()


def input_tensor(seed: int, shape: Sequence[int]) -> Tensor:
    """Return uniform numbers of a numpy generator as float32."""
    return torch.from_numpy(np.random.RandomState(seed).rand(*shape).astype(np.float32))


def objective_tensors(form: Literal["prob", "logit"]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the fixed prediction in one form, the binary target (last case empty) and the grey target."""
    shape = (4, 1, 32, 32)
    probability = input_tensor(3, shape)
    binary = (input_tensor(5, shape) > 0.7).float()
    binary[-1] = 0
    return as_form(probability, form), binary, input_tensor(9, shape)


def as_form(probability: Tensor, form: Literal["prob", "logit"]) -> Tensor:
    """Return the fixed probabilities as they are, or as the logits ``4 (p - 0.5)`` that go with them."""
    return 4 * (probability - 0.5) if form == "logit" else probability


def nothing(form: Literal["prob", "logit"], cases: int) -> Tensor:
    """Return a prediction of nothing: probability 0, or logit -10."""
    return torch.full((cases, 1, 32, 32), -10.0 if form == "logit" else 0.0)


class StandIn(nn.Module):
    """The network of the bookkeeping run: ``8 (x - 0.5)`` of the first channel, or its sigmoid; gradients are zero."""

    def __init__(self, form: Literal["prob", "logit"]) -> None:
        super().__init__()
        self.form = form
        self.unused = nn.Parameter(torch.zeros(()))  # an optimiser needs something to hold

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, H, W]``."""
        z = 8 * (x[:, :1] - 0.5) + 0 * self.unused
        return z if self.form == "logit" else torch.sigmoid(z)


def statistics(values: Tensor) -> dict[str, float]:
    """Return min, max, mean and population standard deviation, in float64."""
    v = values.detach().double().cpu()
    return {"min": v.min().item(), "max": v.max().item(), "mean": v.mean().item(), "std": v.std(correction=0).item()}


def norm(tensors: Sequence[Tensor]) -> float:
    """Return the L2 norm over all entries of all tensors, in float64."""
    return math.sqrt(sum((t.detach().double() ** 2).sum().item() for t in tensors))
