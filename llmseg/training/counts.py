"""Operations, weights and bytes of a network, counted once per computer: a plan of many cells asks for them often."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import torch

from llmseg.data.once import find_once
from llmseg.recipe.losses import Loss
from llmseg.recipe.nets.net import Net
from llmseg.recipe.part import to_plain
from llmseg.training.code import digest_code
from llmseg.training.memory import count_kept_bytes
from llmseg.training.run_files import list_versions


@dataclass(frozen=True)
class Counts:
    """What a training step of one case needs.

    Attributes:
        flops: Floating-point operations of the forward and backward pass, see :class:`llmseg.training.Cost`.
        weights: Number of weights.
        kept_bytes: Bytes that the forward pass keeps for the backward pass, in float32.
    """

    flops: int
    weights: int
    kept_bytes: int


@functools.cache  # recipes of a study share networks
def count_kept(net: Net, loss: Loss, channels: int, size: tuple[int, int]) -> Counts:
    """Return what a training step of one case needs, from the cache if it was counted on this computer before.

    Args:
        net: The network.
        loss: The loss.
        channels: Channels of the images.
        size: Height and width of the images, in pixels.

    Raises:
        UserError: Network and loss cannot take images of that size.
    """
    if not (_is_of_package(net) and _is_of_package(loss)):
        return count(net, loss, channels, size)
    key = (to_plain(net), to_plain(loss), channels, size, _describe_code())
    return find_once("counts", key, Counts, lambda: count(net, loss, channels, size))


def _is_of_package(value: object) -> bool:
    """Return whether a part and those inside it stand in this package: their code is in its digest."""
    if isinstance(value, tuple):
        return all(map(_is_of_package, value))
    if not dataclasses.is_dataclass(value):
        return True
    inner = (getattr(value, field.name) for field in dataclasses.fields(value))
    return type(value).__module__.startswith("llmseg.") and all(map(_is_of_package, inner))


@functools.cache
def _describe_code() -> str:
    # Another version of a package may build other layers.
    return repr((digest_code(), list_versions()))


def count(net: Net, loss: Loss, channels: int, size: tuple[int, int]) -> Counts:
    """Count on tensors without content, so that nothing is computed; the arguments are those of :func:`count_kept`."""
    from torch.utils.flop_counter import FlopCounterMode  # it loads half of torch, for a second

    with torch.device("meta"):
        # In evaluation mode, for batch norm cannot learn from a single case; the operations are the same.
        module = net.build(channels).eval()
        batch = torch.empty(1, channels, *size), torch.empty(1, 1, *size)
    with FlopCounterMode(display=False) as counter:
        kept, _ = count_kept_bytes(module, module, loss, batch)
    weights = sum(parameter.numel() for parameter in module.parameters())
    return Counts(3 * counter.get_total_flops(), weights, kept)
