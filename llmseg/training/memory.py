"""What a training needs of a device's memory, and how to train a batch in parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psutil
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from llmseg.errors import UserError
from llmseg.recipe.losses import Loss
from llmseg.recipe.recipe import Recipe
from llmseg.training.numerics import Forward, Numerics

_BYTES_PER_WEIGHT = 16
"""A weight, its gradient and the two moments of Adam, 4 bytes each."""

_BYTES_PER_AVERAGE = 4
"""A float32 copy of a weight, where the recipe averages the weights."""


class OutOfMemory(UserError):
    """A training needs more memory than there is."""


@dataclass(frozen=True)
class Needs:
    """What a training step keeps in memory, in bytes.

    Attributes:
        fixed: What does not depend on the batch: weights, gradients, moments.
        per_case: The feature maps of a case that wait for the backward pass.
    """

    fixed: int
    per_case: int

    def of_batch(self, cases: int) -> int:
        """Return what a step needs with a number of cases at once."""
        return self.fixed + cases * self.per_case

    def count_fitting(self, limit: int) -> int:
        """Return how many cases at once stay within a limit; 0 if even a single one does not."""
        return max(0, (limit - self.fixed) // self.per_case)


def measure_needs(recipe: Recipe, net: nn.Module, numerics: Numerics, batch: tuple[Tensor, Tensor]) -> Needs:
    """Let one case pass through network, loss and scores, and count the bytes that wait for the backward pass.

    Parts of a recipe that do not fit each other raise their error here, before the run folder is made. The training is
    not affected: in evaluation mode no running statistics change and no random numbers are drawn. What dropout would
    keep for the backward pass is left out; it is little.

    Args:
        recipe: The recipe.
        net: The network.
        numerics: How it is computed.
        batch: Image and mask of one case, ``[1, C, H, W]`` and ``[1, 1, H, W]``.
    """
    # The uncompiled network keeps about as much, and compiling it for one pass would take longer than all the rest.
    forward = replace(numerics, compile=False).build_forward(net.eval())
    kept, output = count_kept_bytes(net, forward, recipe.loss, batch)
    for score in (recipe.score, recipe.test):
        if score is not None:
            score(output, batch[1])
    # In half precision, autocast copies the kernel of each convolution (a weight of four dimensions) and keeps the copy
    # for the backward pass: once, however many cases there are.
    kernels = sum(p.numel() for p in net.parameters() if p.ndim == 4) * numerics.dtype.itemsize
    kernel_copies = kernels if numerics.precision != "fp32" else 0
    weights = count_weight_bytes(recipe, sum(p.numel() for p in net.parameters()))
    return Needs(weights + kernel_copies, max(1, kept - kernel_copies))


def count_weight_bytes(recipe: Recipe, weights: int) -> int:
    """Return the bytes that a recipe's training keeps for a number of weights, with all that belongs to each."""
    return weights * (_BYTES_PER_WEIGHT + (0 if recipe.fit.average is None else _BYTES_PER_AVERAGE))


def count_kept_bytes(net: nn.Module, forward: Forward, loss: Loss, batch: tuple[Tensor, Tensor]) -> tuple[int, Tensor]:
    """Return what one forward pass keeps for the backward pass, without the weights, in bytes, and its output.

    Args:
        net: The network; on torch's ``meta`` device nothing is computed, and the bytes are those of numbers.
        forward: Computes the network's output.
        loss: The loss.
        batch: Image and mask.
    """
    # Tensors on the meta device all lie at address 0, so the address does not tell one memory from another.
    weights = {_find_memory(parameter) for parameter in net.parameters()}
    kept: dict[int, int] = {}  # by memory: several operations keep the same map

    def count(tensor: Tensor) -> Tensor:
        if _find_memory(tensor) not in weights:
            kept[_find_memory(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    image, mask = batch
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        output = forward(image)
        # While the loss lives, so does all that was counted: no memory is given out a second time.
        value = loss(output, mask)
    del value
    return sum(kept.values()), output.detach()


def _find_memory(tensor: Tensor) -> int:
    """Return what tells the memory of a tensor from that of others; views share it."""
    return int(tensor.untyped_storage()._cdata)


def measure_free_memory(device: torch.device) -> int:
    """Return the bytes that this process can still have on a device."""
    if device.type == "cuda":
        # torch keeps what it has freed; for the driver that is in use, but this process can have it again.
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return int(psutil.virtual_memory().available)


def check_memory(needs: Needs, limit: int, batch_size: int, at_once: int, *, statistics: bool) -> None:
    """Refuse a training that would not fit, and say what would.

    Args:
        needs: What :func:`measure_needs` found.
        limit: Bytes that are allowed or free.
        batch_size: The batch size of the recipe.
        at_once: Cases that pass through the network together on this device.
        statistics: Whether the network has batch norm: then a batch in parts gives another result, and the message says
            so.

    Raises:
        OutOfMemory: The step needs more than the limit.
    """
    need, fitting = needs.of_batch(at_once), needs.count_fitting(limit)
    if need <= limit:
        return
    shortage = f"{at_once} cases at once need about {_format_gigabytes(need)} and {_format_gigabytes(limit)} are there"
    if not fitting:
        single = _format_gigabytes(needs.of_batch(1))
        raise OutOfMemory(f"{shortage}; one case alone needs {single}: choose a smaller images.size or another device")
    caution = "with batch statistics of the parts" if statistics else "with the same result"
    raise OutOfMemory(
        f"{shortage}; use --at-once {fitting} to train the batch of {batch_size} in parts ({caution}, but slower), "
        f"or --set fit.batch_size={fitting}"
    )


def has_batch_norm(net: nn.Module) -> bool:
    """Return whether a network has batch norm, where the output for a case depends on the other cases of a batch."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules())


def split_forward(forward: Forward, at_once: int | None) -> Forward:
    """Return a function that passes a batch through the network in parts, to have the maps of only one part in memory.

    The output is that of the whole batch, so a loss over the batch does not change. The price is time: the maps of each
    part are computed a second time in the backward pass. Batch norm takes its statistics from the parts.

    Args:
        forward: From images ``[B, C, H, W]`` to outputs ``[B, 1, h, w]``.
        at_once: Largest number of cases in a part, ``None`` for all.
    """
    if at_once is None:
        return forward

    def forward_in_parts(image: Tensor) -> Tensor:
        parts = image.split(at_once)  # type: ignore[no-untyped-call]
        if len(parts) == 1 or not torch.is_grad_enabled():
            return torch.cat([forward(part) for part in parts])
        return torch.cat([checkpoint(forward, part, use_reentrant=False) for part in parts])

    return forward_in_parts


def _format_gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
