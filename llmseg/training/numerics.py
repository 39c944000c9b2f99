"""Numerics: how a device computes. Nothing here is part of a recipe, and nothing changes a result beyond rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from llmseg.errors import UserError, nearest

Precision = Literal["fp32", "bf16", "fp16"]
Forward: TypeAlias = Callable[[Tensor], Tensor]

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """How a training computes.

    Attributes:
        precision: What the network computes in; weights, loss, scores and statistics are always float32.
        channels_last: Whether maps lie in memory pixel by pixel instead of channel by channel.
        fused: Whether the optimiser updates all weights in one kernel.
        compile: Whether the network is compiled before its first step.
        tf32: Whether float32 products may be rounded to 10 bits on devices that are faster so.
    """

    precision: Precision
    channels_last: bool
    fused: bool
    compile: bool
    tf32: bool

    @property
    def dtype(self) -> torch.dtype:
        """The type the network computes in."""
        return _DTYPES[self.precision]

    @property
    def for_inference(self) -> Numerics:
        """The same without a backward pass, where channels last are faster in any precision."""
        return self if self == EXACT_NUMERICS else replace(self, channels_last=True)

    def place(self, net: nn.Module, device: torch.device) -> nn.Module:
        """Move a network to a device and into the memory layout."""
        if self.channels_last:
            return net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
        return net.to(device)

    def build_forward(self, net: nn.Module) -> Forward:
        """Return a function from images ``[B, C, H, W]`` float32 to the network's output ``[B, 1, h, w]``, float32."""
        run = torch.compile(net) if self.compile else net

        def forward(image: Tensor) -> Tensor:
            if self.channels_last:
                image = image.contiguous(memory_format=torch.channels_last)
            with torch.autocast(image.device.type, self.dtype, enabled=self.precision != "fp32"):
                output: Tensor = run(image)
            return output.float()

        return forward

    @contextmanager
    def set_switches(self) -> Iterator[None]:
        """Set torch's switches for the block: rounding of float32 products, and the choice of convolution kernels."""
        matmul, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn
        before = cudnn.allow_tf32, cudnn.benchmark
        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        cudnn.allow_tf32, cudnn.benchmark = self.tf32, self != EXACT_NUMERICS
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(matmul)
            cudnn.allow_tf32, cudnn.benchmark = before


EXACT_NUMERICS = Numerics(precision="fp32", channels_last=False, fused=False, compile=False, tf32=False)
"""How the original scripts compute; a replay."""


def choose_numerics(
    device: torch.device, precision: str = "auto", *, exact: bool = False, compile: bool = False, tf32: bool = False
) -> Numerics:
    """Return what suits a device.

    Args:
        device: Where the network is.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto``: bf16 where the device has instructions for it, else fp16
            on a GPU that has those, else fp32.
        exact: Compute as the original scripts do.
        compile: Compile the network.
        tf32: Allow TF32.

    Raises:
        UserError: There is no such precision, or it excludes ``exact``.

    Example:
        >>> import torch
        >>> choose_numerics(torch.device("cpu"), exact=True) == EXACT_NUMERICS
        True
    """
    if precision not in PRECISIONS:
        raise UserError(f"no precision '{precision}'{nearest(precision, PRECISIONS)}; allowed: {', '.join(PRECISIONS)}")
    if exact:
        if precision not in ("auto", "fp32") or compile or tf32:
            raise UserError("exact is fp32 as the scripts compute it; leave out the precision, compile and tf32")
        return EXACT_NUMERICS
    chosen: Precision = _native(device) if precision == "auto" else precision  # type: ignore[assignment]
    # Kernels for matrix units want channels last; plain float32 kernels, on a CPU without them, do not.
    units = chosen != "fp32" or tf32
    return Numerics(precision=chosen, channels_last=units, fused=True, compile=compile, tf32=tf32)


def _native(device: torch.device) -> Precision:
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16"
        return "fp16" if torch.cuda.get_device_capability(device) >= (7, 0) else "fp32"
    # Without instructions of its own for it, a processor computes bf16 slower than fp32.
    able: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "fp32"
