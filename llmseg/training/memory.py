"""What a training needs of a device's memory, and how to train a batch in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import psutil
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from llmseg.errors import UserError
from llmseg.recipe.recipe import Recipe
from llmseg.training.numerics import Forward, Numerics

_PER_WEIGHT = 16
"""Bytes: a weight, its gradient and the two moments of Adam, each float32."""


@dataclass(frozen=True)
class Needs:
    """What a training step keeps in memory, in bytes.

    Attributes:
        fixed: Whatever the batch: weights, gradients, moments.
        per_case: Maps that a case leaves for the backward pass.
    """

    fixed: int
    per_case: int

    def of_batch(self, cases: int) -> int:
        """Return the need of a step with so many cases at once."""
        return self.fixed + cases * self.per_case

    def fitting(self, limit: int) -> int:
        """Return how many cases at once stay within a limit; 0 if not even one does."""
        return max(0, (limit - self.fixed) // self.per_case)


def measure_needs(recipe: Recipe, net: nn.Module, numerics: Numerics, batch: tuple[Tensor, Tensor]) -> Needs:
    """Let one case pass through network, loss and scores, and count what waits for the backward pass.

    So parts that do not fit each other are reported before anything begins. Nothing of the training is touched: the
    network is in evaluation mode, and what dropout would add is little.

    Args:
        recipe: The recipe.
        net: The network.
        numerics: How it is computed.
        batch: Image and mask of one case, ``[1, C, H, W]`` and ``[1, 1, H, W]``.
    """
    # Compiling would take longer than all of the rest, and keep about as much.
    forward = replace(numerics, compile=False).build_forward(net.eval())
    kept = _kept(recipe, forward, batch, [p.untyped_storage().data_ptr() for p in net.parameters()])
    # Kernels in half precision are kept once, whatever the batch.
    kernels = sum(p.numel() for p in net.parameters() if p.ndim == 4) * numerics.dtype.itemsize
    halved = kernels if numerics.precision != "fp32" else 0
    average = 0 if recipe.fit.average is None else 4
    weights = sum(p.numel() for p in net.parameters()) * (_PER_WEIGHT + average)
    return Needs(weights + halved, max(1, kept - halved))


def _kept(recipe: Recipe, forward: Forward, batch: tuple[Tensor, Tensor], known: Sequence[int]) -> int:
    """Return the bytes that one pass keeps, without those of known addresses."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    image, mask = batch
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = forward(image)
        loss = recipe.loss(output, mask)  # holds what was counted until here
    del loss
    for score in (recipe.score, recipe.test):
        if score is not None:
            score(output.detach(), mask)
    return sum(kept.values())


def free_memory(device: torch.device) -> int:
    """Return the bytes a process can still have on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return int(psutil.virtual_memory().available)


def check_memory(needs: Needs, limit: int, batch_size: int, at_once: int, *, statistics: bool) -> None:
    """Refuse a training that would not fit, and say what would.

    Args:
        needs: What was measured.
        limit: Bytes allowed or free.
        batch_size: The recipe's.
        at_once: Cases that go through the network at once, on this device.
        statistics: Whether the network has batch norm, which makes a difference to training in parts.

    Raises:
        UserError: The step needs more than the limit.
    """
    need, fitting = needs.of_batch(at_once), needs.fitting(limit)
    if need <= limit:
        return
    said = f"{at_once} cases at once need about {_gigabytes(need)} and {_gigabytes(limit)} are there"
    if not fitting:
        one = _gigabytes(needs.of_batch(1))
        raise UserError(f"{said}; one case alone needs {one}: choose a smaller images.size or another device")
    caution = "with batch statistics of the parts" if statistics else "with the same result"
    raise UserError(
        f"{said}; use --at-once {fitting} to train the batch of {batch_size} in parts ({caution}, but slower), "
        f"or --set fit.batch_size={fitting}"
    )


def has_batch_norm(net: nn.Module) -> bool:
    """Return whether a network computes anything over its batch."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules())


def split_forward(forward: Forward, at_once: int | None) -> Forward:
    """Return the function with its batch cut into parts, of which only one has its maps in memory.

    The output is that of the whole batch, so a loss over the batch is what it was; maps are computed a second time in
    the backward pass. In a network with batch norm the statistics are those of the parts.

    Args:
        forward: From images ``[B, C, H, W]`` to outputs.
        at_once: Largest number of cases in a part, ``None`` for all.
    """
    if at_once is None:
        return forward

    def parted(image: Tensor) -> Tensor:
        parts = image.split(at_once)  # type: ignore[no-untyped-call]
        if len(parts) == 1 or not torch.is_grad_enabled():
            return torch.cat([forward(part) for part in parts])
        return torch.cat([checkpoint(forward, part, use_reentrant=False) for part in parts])

    return parted


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
