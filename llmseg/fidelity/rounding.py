"""Comparing a training with a record although trainings amplify rounding.

Every step of a training multiplies the rounding of the steps before it. Two processors that add numbers up in different
orders therefore part, and in some networks by more than a tolerance. To tell whether the pipeline or the processor is
at fault, the training is started again a unit in the last place (1 ulp) beside the recorded weights. If such a
neighbour stays within the tolerances of the record, the pipeline agrees with the record up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from llmseg.fidelity.compare import ComparedValue, Comparison, Divergence

NEIGHBOURS = 4
"""How many neighbours of the recorded start are tried. Of DeepSeek R1, whose own training leaves the tolerances without
AVX-512, six in eight follow (``benchmarks/results/rounding.json``); four failures of a right recipe are then an
accident of one in 256."""


def compare_with_neighbours(comparison: Comparison, measure: Callable[[int], Iterator[ComparedValue]]) -> None:
    """Compare the values of a training; where rounding may be at fault, those of its neighbours.

    The tolerances are the same for all. No neighbour is tried for a value that no rounding has reached.

    Args:
        comparison: Compares; afterwards it counts the values of the training that agrees.
        measure: Starts a training and gives its values as they are measured. It takes the neighbour of the recorded
            weights from which to start: 0 for these themselves, k > 0 for neighbour k, see :func:`move_to_neighbour`.
            Neighbours are also computed with other kernels, see :func:`disable_onednn`.

    Raises:
        Divergence: No training agrees; the words are those of the first.
    """
    for neighbour in range(1 + NEIGHBOURS):
        # Other kernels add up in another order, as another processor does.
        with disable_onednn(when=neighbour > 0):
            divergence = _first_divergence(comparison, measure(neighbour))
        if divergence is None:
            return
        value, why = divergence
        if neighbour == 0 and not value.carries_rounding:
            raise Divergence(why)
        comparison.begin_again(why)
    raise Divergence(f"{comparison.diverged_before[0]}; so do trainings from {NEIGHBOURS} neighbours of the start")


def move_to_neighbour(net: nn.Module, neighbour: int) -> None:
    """Move every weight but zeros by one unit in the last place, up or down at random.

    Args:
        net: The network; its weights are changed in place.
        neighbour: Which of the random choices; 0 leaves the weights as they are.
    """
    if neighbour == 0:
        return
    generator = torch.Generator().manual_seed(neighbour)
    with torch.no_grad():
        for weight in net.parameters():
            up = torch.rand(weight.shape, generator=generator) < 0.5
            moved = torch.nextafter(weight, torch.where(up, math.inf, -math.inf))
            # A zero stays zero: the number next to it, 1e-45, is no rounding error of a weight.
            weight.copy_(torch.where(weight == 0, weight, moved))


@contextmanager
def disable_onednn(*, when: bool) -> Iterator[None]:
    """Within this context, convolve with torch's own kernels, which add up in another order than those of oneDNN.

    Args:
        when: Whether to do so; otherwise nothing changes.

    Example:
        >>> with disable_onednn(when=True):
        ...     print(torch.backends.mkldnn.enabled)
        False
    """
    onednn: Any = torch.backends.mkldnn
    before = onednn.enabled
    onednn.enabled = before and not when
    try:
        yield
    finally:
        onednn.enabled = before


def _first_divergence(comparison: Comparison, values: Iterator[ComparedValue]) -> tuple[ComparedValue, str] | None:
    """Compare values up to the first that diverges; return it and why, or ``None``."""
    for value in values:
        try:
            comparison.require(value)
        except Divergence as divergence:
            return value, str(divergence)
    return None
