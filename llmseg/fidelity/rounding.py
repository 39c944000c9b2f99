"""Following a record with a training that amplifies rounding.

A training multiplies the rounding of its first step with every further one, so two processors that add up in different
orders part, and in some networks by more than a tolerance. Whether a pipeline or the processor is at fault is
told by starting again a unit in the last place beside the recorded weights: if a neighbour of the start follows the
record within its tolerances, then up to rounding so does the pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from llmseg.fidelity.compare import Comparison, Diverged, Figure

NEIGHBOURS = 4
"""How many neighbours of the recorded start are tried. Of DeepSeek R1, whose own training leaves the tolerances without
AVX-512, six in eight follow (``benchmarks/results/rounding.json``); four failures of a right recipe are then an
accident of one in 256."""


def follow(compare: Comparison, figures: Callable[[int], Iterator[Figure]]) -> None:
    """Compare the figures of a training; where rounding may be at fault, those of its neighbours.

    The tolerances are the same for all. Nothing is tried again for a figure that no rounding has reached.

    Args:
        compare: Compares; afterwards it counts the figures of the training that agrees.
        figures: Starts a training and gives its figures as they are measured: 0 from the recorded weights, k > 0 from
            neighbour k of them, see :func:`move`; those are computed with other :func:`kernels`, too.

    Raises:
        Diverged: No training agrees; the words are those of the first.
    """
    for neighbour in range(1 + NEIGHBOURS):
        with kernels(own=neighbour > 0):
            found = _divergence(compare, figures(neighbour))
        if found is None:
            return
        figure, why = found
        if neighbour == 0 and not figure.rounded:
            raise Diverged(why)
        compare.begin_again(why)
    raise Diverged(f"{compare.diverged_before[0]}; so do trainings from {NEIGHBOURS} neighbours of the start")


def move(net: nn.Module, neighbour: int) -> None:
    """Move every weight but zeros by one unit in the last place, up or down at random.

    Args:
        net: The network.
        neighbour: Which of the random choices; 0 leaves the weights as they are.
    """
    if neighbour == 0:
        return
    generator = torch.Generator().manual_seed(neighbour)
    with torch.no_grad():
        for weight in net.parameters():
            up = torch.rand(weight.shape, generator=generator) < 0.5
            moved = torch.nextafter(weight, torch.where(up, math.inf, -math.inf))
            weight.copy_(torch.where(weight == 0, weight, moved))


@contextmanager
def kernels(*, own: bool) -> Iterator[None]:
    """Within this context, convolve with torch's own kernels, which add up in another order than those of oneDNN.

    Args:
        own: Whether to; otherwise nothing changes.
    """
    onednn: Any = torch.backends.mkldnn
    used = onednn.enabled
    onednn.enabled = used and not own
    try:
        yield
    finally:
        onednn.enabled = used


def _divergence(compare: Comparison, figures: Iterator[Figure]) -> tuple[Figure, str] | None:
    for figure in figures:
        try:
            compare.take(figure)
        except Diverged as diverged:
            return figure, str(diverged)
    return None
