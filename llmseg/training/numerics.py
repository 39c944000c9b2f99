"""Numerics: how a device computes.

Nothing here is part of a recipe, and nothing changes a result by more than rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from llmseg.errors import UserError, nearest
from llmseg.training.kernels import Kernels

Precision = Literal["fp32", "bf16", "fp16"]
Forward: TypeAlias = Callable[[Tensor], Tensor]

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """How a training computes.

    Attributes:
        precision: What the network computes in. Weights, loss, scores and statistics are always float32.
        channels_last: Whether the channels of a pixel lie together in memory, instead of the pixels of a channel.
        fused: Whether the optimizer updates all weights in one kernel instead of many small ones. That is faster, and
            rounds differently from the scripts, which did not ask for it.
        compile: Whether the network is compiled before its first step.
        tf32: Whether the factors of float32 products may be rounded to 10 bits of mantissa, on GPUs that are faster so:
            those of all products, or of ``convolutions`` only, as torch does by default.
        winograd: Convolutions that are computed by Winograd's algorithm, on CPUs where it is faster: by channels that
            enter and leave, and the side of their maps, such as ``64-128 at 256``; with ``, backward`` their gradient
            to the input.
    """

    precision: Precision
    channels_last: bool
    fused: bool
    compile: bool
    tf32: bool | Literal["convolutions"]
    winograd: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether the device computes as the original scripts do, with TF32 or without."""
        return replace(self, tf32=False) == EXACT_NUMERICS

    @property
    def dtype(self) -> torch.dtype:
        """The dtype that the network computes in."""
        return _DTYPES[self.precision]

    @property
    def for_inference(self) -> Numerics:
        """The numerics for prediction: without a backward pass, channels last is faster in any precision."""
        return self if self.is_exact else replace(self, channels_last=True)

    def place(self, net: nn.Module, device: torch.device) -> nn.Module:
        """Move a network to a device and into the memory layout; return it."""
        if self.channels_last:
            return net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
        return net.to(device)

    def build_forward(self, net: nn.Module) -> Forward:
        """Return a function from images ``[B, C, H, W]`` float32 to the network's output ``[B, 1, h, w]``, float32."""
        run = torch.compile(net) if self.compile else net
        kernels = Kernels(self.winograd) if self.winograd else nullcontext()

        def forward(image: Tensor) -> Tensor:
            if self.channels_last:
                image = image.contiguous(memory_format=torch.channels_last)
            with torch.autocast(image.device.type, self.dtype, enabled=self.precision != "fp32"), kernels:
                output: Tensor = run(image)
            return output.float()

        return forward

    @contextmanager
    def set_switches(self) -> Iterator[None]:
        """Set torch's global switches for the block: TF32, and whether cuDNN tries out its convolution kernels.

        Trying them out (``cudnn.benchmark``) is faster, but the kernel that wins may differ from run to run and rounds
        differently. The scripts left it off.
        """
        matmul, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn
        before = cudnn.allow_tf32, cudnn.benchmark
        torch.set_float32_matmul_precision("high" if self.tf32 is True else "highest")
        cudnn.allow_tf32, cudnn.benchmark = bool(self.tf32), not self.is_exact
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(matmul)
            cudnn.allow_tf32, cudnn.benchmark = before


EXACT_NUMERICS = Numerics(precision="fp32", channels_last=False, fused=False, compile=False, tf32=False)
"""As the original scripts computed on a CPU: in full float32. A replay uses it."""

SCRIPT_NUMERICS = replace(EXACT_NUMERICS, tf32="convolutions")
"""As the scripts compute on a GPU, where torch lets convolutions use TF32 unless told otherwise. On a CPU, the same as
:data:`EXACT_NUMERICS`."""


def choose_numerics(
    device: torch.device, precision: str = "auto", *, exact: bool = False, compile: bool = False, tf32: bool = False
) -> Numerics:
    """Return how to compute on a device.

    Args:
        device: Where the network is.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto``. ``auto`` is bf16 if the device has instructions for it,
            else fp16 on a GPU that has instructions for that, else fp32.
        exact: Compute as the original scripts do.
        compile: Compile the network.
        tf32: Allow TF32. Together with ``exact``, for convolutions only, as the scripts did on a GPU.

    Raises:
        UserError: There is no such precision, or ``exact`` is given together with what it excludes.

    Example:
        >>> import torch
        >>> choose_numerics(torch.device("cpu"), exact=True) == EXACT_NUMERICS
        True
    """
    if precision not in PRECISIONS:
        raise UserError(f"no precision '{precision}'{nearest(precision, PRECISIONS)}; allowed: {', '.join(PRECISIONS)}")
    if exact:
        if precision not in ("auto", "fp32") or compile:
            raise UserError("exact is fp32 as the scripts compute it; leave out the precision and compile")
        return SCRIPT_NUMERICS if tf32 else EXACT_NUMERICS
    chosen: Precision = _choose_native_precision(device) if precision == "auto" else precision  # type: ignore[assignment]
    # Matrix units (tensor cores, AMX) multiply in half precision or TF32, and their kernels want channels last. Kernels
    # for plain float32 do not.
    matrix_units = chosen != "fp32" or tf32
    return Numerics(precision=chosen, channels_last=matrix_units, fused=True, compile=compile, tf32=tf32)


def _choose_native_precision(device: torch.device) -> Precision:
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16"
        # 7.0 is Volta, the first GPU with tensor cores; they multiply in fp16.
        return "fp16" if torch.cuda.get_device_capability(device) >= (7, 0) else "fp32"
    # A processor without instructions for bf16 computes in it, too, but slower than in fp32. Older versions of torch do
    # not tell the instructions; then it is fp32.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"
