"""Ways to compute a training, each of which differs in one thing from what llmseg chooses for a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from llmseg.data import PreparedCases
from llmseg.training import EXACT_NUMERICS, SCRIPT_NUMERICS, Numerics, choose_numerics

USUAL = "as chosen"


@dataclass(frozen=True)
class Choice:
    """A way to compute.

    Attributes:
        numerics: How the device computes, from what llmseg chooses for it.
        around: Opens what has to be set while the training is made and runs.
        compiles: Whether something is compiled or recorded before the first step, which takes long.
    """

    numerics: Callable[[Numerics], Numerics]
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    compiles: bool = False


class WithoutSearch(Numerics):
    """Numerics with which cuDNN takes the convolution kernels that it thinks best, and tries out none."""

    @contextmanager
    def set_switches(self) -> Iterator[None]:
        """Set torch's switches for the block."""
        with super().set_switches():
            torch.backends.cudnn.benchmark = False
            yield


class Recorded(Numerics):
    """Numerics with which a training step's forward and backward pass are recorded once and replayed (CUDA graphs)."""

    def build_forward(self, net: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return a function that records its graphs when it sees its first batch in training."""
        run = super().build_forward(net)
        recorded: list[Any] = []

        def forward(image: Tensor) -> Tensor:
            if not net.training or not torch.is_grad_enabled():
                return run(image)
            if not recorded:
                # With its cache of weights in half precision, autocast cannot be recorded.
                sample = image.clone(memory_format=torch.channels_last)
                with torch.autocast(image.device.type, self.dtype, cache_enabled=False):
                    recorded.append(torch.cuda.make_graphed_callables(net, (sample,)))
            with torch.autocast(image.device.type, self.dtype, cache_enabled=False):
                output: Tensor = recorded[0](image.contiguous(memory_format=torch.channels_last))
            return output.float()

        return forward


class CompiledAndRecorded(Numerics):
    """Numerics with which the network is compiled, and what is compiled is recorded and replayed (CUDA graphs)."""

    def build_forward(self, net: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return a function that compiles and records when it sees its first batch."""
        return super().build_forward(torch.compile(net, mode="reduce-overhead"))


def _become(kind: type[Numerics]) -> Callable[[Numerics], Numerics]:
    return lambda usual: kind(**vars(usual))


def _change(**fields: Any) -> Callable[[Numerics], Numerics]:
    return lambda usual: replace(usual, **fields)


@contextmanager
def _keep_on_host() -> Iterator[None]:
    """Leave the bytes of prepared cases in the memory of the host for the block."""

    def move(prepared: PreparedCases, device: torch.device) -> PreparedCases:
        image_table, mask_table = prepared.tables
        return replace(prepared, tables=(image_table.to(device), mask_table.to(device)))

    with mock.patch("contenders.move_to_device", move):
        yield


CHOICES: dict[str, Choice] = {
    USUAL: Choice(lambda usual: usual),
    "exact": Choice(lambda _: EXACT_NUMERICS),
    "as scripts": Choice(lambda _: SCRIPT_NUMERICS),
    "tf32": Choice(lambda usual: choose_numerics(torch.device("cpu"), "fp32", tf32=True)),
    "fp16": Choice(_change(precision="fp16")),
    "without channels_last": Choice(_change(channels_last=False)),
    "without fused optimizer": Choice(_change(fused=False)),
    "without search for kernels": Choice(_become(WithoutSearch)),
    "cases on the host": Choice(lambda usual: usual, _keep_on_host),
    "CUDA graphs": Choice(_become(Recorded), compiles=True),
    "compiled": Choice(_change(compile=True), compiles=True),
    "compiled with CUDA graphs": Choice(_become(CompiledAndRecorded), compiles=True),
}
"""By name; :data:`USUAL` is what llmseg chooses."""
