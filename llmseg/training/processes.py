"""The processes that train one network together, as ``torchrun`` starts them.

Every process holds all cases, draws the same orders and sees the same loss. Only the network's work is divided: each
process passes its part of a batch, and all get the whole batch's output. So a loss or score over the batch is what it
is with one process, and per-case scores are complete in each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from llmseg.errors import UserError
from llmseg.training.numerics import Forward


@dataclass(frozen=True)
class World:
    """Some processes, and which of them this is.

    Attributes:
        rank: Number of this process; number 0 writes the run folder.
        size: How many there are.
    """

    rank: int
    size: int

    @property
    def leads(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def check(self, batch_size: int) -> None:
        """Refuse a batch that cannot be divided equally.

        Raises:
            UserError: The processes do not divide the batch size.
        """
        if batch_size % self.size:
            fitting = ", ".join(str(n) for n in range(1, batch_size + 1) if batch_size % n == 0)
            raise UserError(f"{self.size} processes cannot share a batch of {batch_size}; start one of {fitting}")

    def wrap(self, net: nn.Module) -> nn.Module:
        """Return the network with gradients that are averaged over the processes."""
        return net if self.size == 1 else DistributedDataParallel(net)

    def share(self, forward: Forward) -> Forward:
        """Return the function with its work on a batch divided among the processes.

        A short last batch that cannot be divided is worked on by every process as a whole.
        """
        if self.size == 1:
            return forward

        def shared(image: Tensor) -> Tensor:
            part, rest = divmod(len(image), self.size)
            if rest:
                return forward(image)
            own = forward(image[self.rank * part : (self.rank + 1) * part])
            whole = [torch.empty_like(own) for _ in range(self.size)]
            dist.all_gather(whole, own.detach().contiguous())
            if own.requires_grad:
                # Gradients will be averaged over processes, each of which has those of its own cases only.
                own.register_hook(lambda gradient: gradient * self.size)  # type: ignore[no-untyped-call]
            whole[self.rank] = own
            return torch.cat(whole)

        return shared

    def any(self, here: bool) -> bool:
        """Return whether something holds in at least one process; all must ask."""
        if self.size == 1:
            return here
        flag = torch.tensor(int(here))
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.any(False)


ALONE = World(rank=0, size=1)


@contextmanager
def join_processes(device: torch.device) -> Iterator[World]:
    """Join the processes that ``torchrun`` started, for the block; without it, be alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Agreements are made on the CPU, so that no process waits for its GPU.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def share_statistics(net: nn.Module, device: torch.device) -> nn.Module:
    """Let batch normalisation see the whole batch instead of a process's part; names of weights stay."""
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call, no-any-return]
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm
    return net


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the parts of all processes, which torch has for GPUs only."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to the same shape and dtype; statistics are float32, as torch's own are."""
        if not self.training:
            return super().forward(x)
        wide = x.float()
        mean = _average(wide.mean((0, 2, 3)))
        centred = wide - mean[:, None, None]
        variance = _average(centred.square().mean((0, 2, 3)))
        self._remember(mean.detach(), variance.detach(), x.numel() // x.shape[1] * dist.get_world_size())
        scale: Tensor = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum or 0.0)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum or 0.0)


def _average(values: Tensor) -> Tensor:
    """Return the mean over all processes; gradients flow back to all of them."""
    total: Tensor = _SumOverProcesses.apply(values)
    return total / dist.get_world_size()


class _SumOverProcesses(torch.autograd.Function):
    """The sum over all processes; a part's gradient is the sum of what all processes have for the whole."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return _add_up(values)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _add_up(gradient)


def _add_up(values: Tensor) -> Tensor:
    total = values.contiguous().clone()
    dist.all_reduce(total)
    return total
