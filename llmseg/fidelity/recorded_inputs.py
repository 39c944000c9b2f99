"""The inputs that records prescribe: weights, tensors for losses and scores, and a network that learns nothing.

When the records were made, the original scripts ran with these inputs. Here they are made again from the same seeds, so
that script and pipeline compute the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

Form = Literal["prob", "logit"]
"""What a network's output means: a probability, or its logit."""

# Step 500 of one seed would draw what epoch 0 of the next seed draws. Records have far fewer steps, and are not
# compared with each other. Runs are, and use another spacing (see RandomStreams).
SEEDS_APART = 1000
"""Epoch k of a record with seed S starts from seed ``1000 (S + 1) + k``, step t from ``1000 (S + 1) + 500 + t``."""


def set_weights(net: nn.Module, positions: Mapping[str, int]) -> None:
    """Overwrite all parameters and running statistics by the rule of the records.

    Weights of (transposed) convolutions are normal numbers from ``RandomState(1000 + i)`` times
    ``sqrt(2 / fan_in)``, i the parameter's position in the original's list; biases are 0, norm weights 1, running
    means 0, running variances 1.

    Args:
        net: The network.
        positions: Position in the original's list by our parameter name.
    """
    transposed = {f"{name}.weight" for name, module in net.named_modules() if isinstance(module, nn.ConvTranspose2d)}
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            shape = tuple(parameter.shape)
            if len(shape) == 4:
                # torch keeps the input channels of a transposed convolution in the first axis, not in the second.
                fan_in = (shape[0] if name in transposed else shape[1]) * shape[2] * shape[3]
                normal = np.random.RandomState(1000 + positions[name]).standard_normal(shape)
                parameter.copy_(torch.from_numpy((normal * np.sqrt(2 / fan_in)).astype(np.float32)))
            else:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()


def draw_uniform(seed: int, shape: Sequence[int]) -> Tensor:
    """Return uniform numbers in [0, 1) of a numpy generator as float32."""
    return torch.from_numpy(np.random.RandomState(seed).rand(*shape).astype(np.float32))


def draw_objective_tensors(form: Form) -> tuple[Tensor, Tensor, Tensor]:
    """Return a prediction and two masks for it, each float32 ``[4, 1, 32, 32]``.

    The prediction is uniform probabilities p, or the logits ``4 (p - 0.5)``. The first mask is binary, and empty in
    the last case; the second is grey, as a mask is that was resized with interpolation.
    """
    shape = (4, 1, 32, 32)
    # 3, 5 and 9 are the seeds with which the records were made.
    probability = draw_uniform(3, shape)
    binary = (draw_uniform(5, shape) > 0.7).float()
    binary[-1] = 0
    return 4 * (probability - 0.5) if form == "logit" else probability, binary, draw_uniform(9, shape)


def empty_prediction(form: Form, cases: int) -> Tensor:
    """Return a prediction without foreground, float32 ``[cases, 1, 32, 32]``: probability 0, or logit -10."""
    return torch.full((cases, 1, 32, 32), -10.0 if form == "logit" else 0.0)


class StandInNetwork(nn.Module):
    """The network of the bookkeeping run: ``8 (x - 0.5)`` of the first channel, or its sigmoid; it learns nothing."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        # An optimizer refuses to be made without parameters. This one gets a gradient, which is always zero.
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, H, W]``."""
        logits = 8 * (x[:, :1] - 0.5) + 0 * self.unused
        return logits if self.form == "logit" else torch.sigmoid(logits)


def compute_statistics(values: Tensor) -> dict[str, float]:
    """Return min, max, mean and population standard deviation, in float64."""
    double = values.detach().double().cpu()
    return {
        "min": double.min().item(),
        "max": double.max().item(),
        "mean": double.mean().item(),
        "std": double.std(correction=0).item(),
    }


def compute_norm(tensors: Sequence[Tensor]) -> float:
    """Return the L2 norm over all entries of all tensors, in float64."""
    return math.sqrt(sum((tensor.detach().double() ** 2).sum().item() for tensor in tensors))
