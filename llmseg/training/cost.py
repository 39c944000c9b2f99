"""What a training will cost: operations, memory, and from them seconds, without training anything."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from llmseg.recipe.losses import Loss
from llmseg.recipe.nets.net import Net
from llmseg.recipe.recipe import Recipe
from llmseg.training.numerics import Forward, Numerics

_BYTES_PER_WEIGHT = 16
"""A weight, its gradient and the two moments of Adam, 4 bytes each."""

_STEPS = 8
"""Steps that a calibration times, after one that does not count."""

_SECONDS = 1.0
"""So long a calibration takes at most, once it has timed two steps."""


@dataclass(frozen=True)
class Cost:
    """What a training step needs.

    Attributes:
        flops: Floating-point operations of the forward and backward pass of one case; a multiply-add counts as two.
            Only products (convolutions and matrices) are counted, as is custom. A backward pass counts as two forward
            passes.
        fixed: Bytes for weights, gradients and the optimizer's moments.
        per_case: Bytes of the feature maps of one case that wait for the backward pass, in float32.
    """

    flops: int
    fixed: int
    per_case: int

    def of_batch(self, cases: int) -> int:
        """Return the bytes that a step needs with a number of cases at once."""
        return self.fixed + cases * self.per_case


def estimate_cost(recipe: Recipe, size: tuple[int, int]) -> Cost:
    """Count what a training step needs, on tensors without content: nothing is computed.

    Args:
        recipe: The recipe.
        size: Height and width of its prepared cases.

    Raises:
        UserError: Network and loss cannot take images of that size.

    Example:
        >>> from llmseg import zoo
        >>> round(estimate_cost(zoo.get("gpt-4").recipe, (256, 256)).flops / 1e9)
        220
    """
    return _count(recipe.net, recipe.loss, recipe.images.channels, size)


@functools.cache  # recipes of a study share networks
def _count(net_part: Net, loss: Loss, channels: int, size: tuple[int, int]) -> Cost:
    with torch.device("meta"):
        # In evaluation mode, for batch norm cannot learn from a single case; the operations are the same.
        net = net_part.build(channels).eval()
        image, mask = torch.empty(1, channels, *size), torch.empty(1, 1, *size)
    weights = {_find_memory(parameter) for parameter in net.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if _find_memory(tensor) not in weights:
            kept[_find_memory(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with (
        FlopCounterMode(display=False) as counter,
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        # While the loss lives, so does all that was counted: no memory is given out a second time.
        value = loss(net(image), mask)
    del value
    fixed = sum(parameter.numel() for parameter in net.parameters()) * _BYTES_PER_WEIGHT
    return Cost(3 * counter.get_total_flops(), fixed, sum(kept.values()))


def _find_memory(tensor: torch.Tensor) -> int:
    """Return what tells the memory of a tensor from that of others; views share it."""
    # Tensors without content all lie at address 0, so the address cannot tell.
    return int(tensor.untyped_storage()._cdata)


def measure_speed(recipe: Recipe, numerics: Numerics, device: torch.device, size: int = 128) -> float:
    """Time training steps of a recipe's network on a device, and return its floating-point operations per second.

    The networks of the study reach between 0.6 and 1.3 times the speed of most of them, so seconds that are computed
    from it are an estimate.

    Args:
        recipe: The recipe, a small one.
        numerics: How it is computed.
        device: The device.
        size: Height and width of the images, in pixels.
    """
    net = numerics.place(recipe.net.build(recipe.images.channels).train(), device)
    forward = numerics.build_forward(net)
    image = torch.rand(2, recipe.images.channels, size, size, device=device)
    mask = (torch.rand(2, 1, size, size, device=device) > 0.5).float()
    durations: list[float] = []
    with numerics.set_switches():
        while len(durations) < 3 or (len(durations) <= _STEPS and sum(durations) < _SECONDS):
            began = time.perf_counter()
            _step(recipe, forward, image, mask)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            durations.append(time.perf_counter() - began)
    # The shortest, for other work on the computer only makes steps longer; the first one also compiles and allocates.
    return len(image) * estimate_cost(recipe, (size, size)).flops / min(durations[1:])


def _step(recipe: Recipe, forward: Forward, image: torch.Tensor, mask: torch.Tensor) -> None:
    loss: torch.Tensor = recipe.loss(forward(image), mask)
    loss.backward()  # type: ignore[no-untyped-call]
