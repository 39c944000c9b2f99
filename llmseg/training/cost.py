"""What a training will cost: operations, memory, and from them seconds, without training anything."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from llmseg.recipe.recipe import Recipe
from llmseg.training.counts import count_kept
from llmseg.training.freed_memory import keep_freed_memory
from llmseg.training.kernel_choice import choose_kernels
from llmseg.training.memory import Needs, count_weight_bytes
from llmseg.training.numerics import Numerics

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
        needs: The memory, in float32.
    """

    flops: int
    needs: Needs


def estimate_cost(recipe: Recipe, size: tuple[int, int]) -> Cost:
    """Count what a training step needs, on tensors without content: nothing is computed. Counts are kept in the cache.

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
    counts = count_kept(recipe.net, recipe.loss, recipe.images.channels, size)
    return Cost(counts.flops, Needs(count_weight_bytes(recipe, counts.weights), counts.kept_bytes))


def measure_speed(
    recipe: Recipe, numerics: Numerics, device: torch.device, size: int | None = None, cases: int | None = None
) -> float:
    """Time training steps of a recipe's network on a device, and return its floating-point operations per second.

    The networks of the study reach between 0.6 and 1.2 times the speed of the middle one, so seconds that are computed
    from it are an estimate.

    Args:
        recipe: The recipe, a small one.
        numerics: How it is computed.
        device: The device.
        size: Height and width of the images, in pixels. ``None`` for a size that is quick on the device and large
            enough to keep it busy: 128 on a CPU, 256 on a GPU.
        cases: Images in a batch; ``None`` for 2 on a CPU and 8 on a GPU.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.training import EXACT_NUMERICS
        >>> measure_speed(zoo.TEXTBOOK, EXACT_NUMERICS, torch.device("cpu")) / 1e9  # doctest: +SKIP
        61.3
    """
    gpu = device.type == "cuda"
    size, cases = size or (256 if gpu else 128), cases or (8 if gpu else 2)
    net = numerics.place(recipe.net.build(recipe.images.channels).train(), device)
    numerics = choose_kernels(numerics, net, device, (recipe.images.channels, size, size))
    forward = numerics.build_forward(net)
    image = torch.rand(cases, recipe.images.channels, size, size, device=device)
    mask = (torch.rand(cases, 1, size, size, device=device) > 0.5).float()
    durations: list[float] = []
    with numerics.set_switches(), keep_freed_memory():
        while len(durations) < 3 or (len(durations) <= _STEPS and sum(durations) < _SECONDS):
            began = time.perf_counter()
            net.zero_grad()
            recipe.loss(forward(image), mask).backward()  # type: ignore[no-untyped-call]
            if gpu:
                torch.cuda.synchronize(device)
            durations.append(time.perf_counter() - began)
    # The shortest, for other work on the computer only makes steps longer; the first one also compiles and allocates.
    return len(image) * estimate_cost(recipe, (size, size)).flops / min(durations[1:])
