"""Several processes that train one network together, as ``torchrun`` starts them.

Every process holds all cases, draws the same orders and computes the same loss. Only the work of the network is
divided: each process passes its part of a batch through the network, and all processes exchange the outputs. So losses
and scores over a batch are the same as with one process, and every process has the scores of all cases.
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
from llmseg.training.observing.marks import EXCHANGE, mark


@dataclass(frozen=True)
class World:
    """The processes that train together, and which of them this is.

    Attributes:
        rank: Number of this process, from 0. Process 0 writes the run folder.
        size: Number of processes.
    """

    rank: int
    size: int

    @property
    def leads(self) -> bool:
        """Whether this process writes the run folder."""
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
        """Return a function that divides a batch among the processes and gives the whole batch's output to each.

        A last batch that is short and cannot be divided equally is computed by every process as a whole.
        """
        if self.size == 1:
            return forward

        def forward_share(image: Tensor) -> Tensor:
            part, rest = divmod(len(image), self.size)
            if rest:
                return forward(image)
            own = forward(image[self.rank * part : (self.rank + 1) * part])
            whole = [torch.empty_like(own) for _ in range(self.size)]
            with mark(EXCHANGE):
                dist.all_gather(whole, own.detach().contiguous())
            if own.requires_grad:
                # all_gather passes no gradients on, so each process has those of its own cases. They have to be added
                # up, but DistributedDataParallel takes their mean; the factor makes it a sum.
                own.register_hook(lambda gradient: gradient * self.size)  # type: ignore[no-untyped-call]
            whole[self.rank] = own  # the gathered copy has no history, and would get no gradient
            return torch.cat(whole)

        return forward_share

    def any(self, holds: bool) -> bool:
        """Return whether something holds in at least one process. All processes must ask at the same point."""
        if self.size == 1:
            return holds
        flag = torch.tensor(int(holds))
        with mark(EXCHANGE):
            dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def wait(self) -> None:
        """Wait until all processes have called this."""
        self.any(False)


ALONE = World(rank=0, size=1)


@contextmanager
def join_processes(device: torch.device) -> Iterator[World]:
    """Join the processes that ``torchrun`` started for the block; without ``torchrun`` there is this process alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Two backends: tensors on the CPU, by which the processes agree on what to do next, go through gloo. So nobody
    # waits for what a GPU is still computing.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def share_statistics(net: nn.Module, device: torch.device) -> nn.Module:
    """Let batch norm compute its statistics over the whole batch instead of this process's part; return the network."""
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call, no-any-return]
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            # The class is replaced in place. A new layer would have to be put into its parent, whatever that is, while
            # the weights, their names and every reference to the layer must stay: checkpoints are those of one process.
            # ``SharedBatchNorm`` adds no attribute, so nothing has to be initialised.
            module.__class__ = SharedBatchNorm
    return net


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the parts of all processes, on CPUs. For GPUs torch has ``SyncBatchNorm``."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise maps ``[B, C, H, W]`` of any floating dtype; statistics are float32, as torch's own are."""
        if not self.training:
            return super().forward(x)
        wide = x.float()
        mean = _average(wide.mean((0, 2, 3)))
        centred = wide - mean[:, None, None]
        variance = _average(centred.square().mean((0, 2, 3)))
        self._update_running(mean.detach(), variance.detach(), x.numel() // x.shape[1] * dist.get_world_size())
        scale: Tensor = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum or 0.0)
        # torch normalises by the biased variance and remembers the unbiased one.
        self.running_var.lerp_(variance * count / (count - 1), self.momentum or 0.0)


def _average(values: Tensor) -> Tensor:
    """Return the mean over all processes; gradients flow back to all of them."""
    total: Tensor = _SumOverProcesses.apply(values)
    return total / dist.get_world_size()


class _SumOverProcesses(torch.autograd.Function):
    """The sum over all processes. The sum enters the loss of every process, so the gradient of a part is a sum, too."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return _add_up(values)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _add_up(gradient)


def _add_up(values: Tensor) -> Tensor:
    """Return the sum over all processes, without a gradient."""
    total = values.contiguous().clone()
    with mark(EXCHANGE):
        dist.all_reduce(total)
    return total
