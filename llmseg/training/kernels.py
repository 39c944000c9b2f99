"""Convolutions by Winograd's algorithm, on processors without matrix units for half precision.

A 3x3 convolution has several kernels: code that computes the same but for rounding. torch computes it in float32 as it
is defined, by oneDNN. Winograd's algorithm (A. Lavin and S. Gray, 2016) needs less than a third of the products. torch
brings a kernel for that, too, in NNPACK, but never chooses it by itself in a training. Which of the two is faster
depends on layer, processor and number of threads, so ``kernel_choice.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_LARGEST = 256
"""Sides of maps above this count as this: the kernels compute a map in tiles, and more tiles change nothing."""


class Layer(NamedTuple):
    """A 3x3 convolution, as far as it decides which kernel is fast.

    Attributes:
        inputs: Channels that enter.
        outputs: Channels that leave.
        side: The side of a square with the area of its maps, to the nearest power of 2 and at most 256.
    """

    inputs: int
    outputs: int
    side: int

    @property
    def forward(self) -> str:
        """Its name in :attr:`llmseg.training.Numerics.winograd`."""
        return f"{self.inputs}-{self.outputs} at {self.side}"

    @property
    def backward(self) -> str:
        """The name of what gives the gradient to its input."""
        return f"{self.forward}, backward"


class Call(NamedTuple):
    """The tensors that a 3x3 convolution was called with."""

    maps: Tensor
    weight: Tensor
    bias: Tensor | None

    @property
    def layer(self) -> Layer:
        """The convolution that this is a call of."""
        outputs, inputs = self.weight.shape[:2]
        height, width = self.maps.shape[-2:]
        # 2 to the power of log2(height * width) / 2, rounded half up.
        side = 1 << ((2 * height * width).bit_length() - 1) // 2
        return Layer(inputs, outputs, min(side, _LARGEST))


def has_kernels() -> bool:
    """Return whether this build of torch and this processor have the kernel for Winograd's algorithm."""
    # torch also makes NNPACK ready by this question; without it, its kernel raises an error.
    return bool(torch.backends.nnpack.is_available())  # type: ignore[no-untyped-call]


class Kernels(TorchFunctionMode):
    """While it is active, convolutions on a CPU are computed by the kernels that were chosen.

    Without gradients, 2x2 max pooling also takes a faster way, to the same values: torch's own, which notes where every
    maximum was, needs as long as a convolution by Winograd's algorithm.

    Args:
        winograd: Names of what is computed by Winograd's algorithm, see :class:`Layer`.

    Example:
        >>> maps, weight = torch.ones(1, 8, 32, 32), torch.ones(4, 8, 3, 3)
        >>> with Kernels(["8-4 at 32"] if has_kernels() else []):
        ...     output = torch.nn.functional.conv2d(maps, weight, padding=1)
        >>> round(output[0, 0, 5, 5].item(), 2)
        72.0
    """

    def __init__(self, winograd: Iterable[str]) -> None:
        super().__init__()
        self._winograd = frozenset(winograd)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute a call of torch, by the chosen kernel if it is a convolution that has one."""
        kwargs = kwargs or {}
        if func is functional.conv2d:
            call = read_call(*args, **kwargs)
            if call is not None and call.layer.forward in self._winograd:
                return _Convolution.apply(*call, call.layer.backward in self._winograd)
        elif func is functional.max_pool2d and not torch.is_grad_enabled() and _halves(*args, **kwargs):
            return halve_map(args[0])
        return func(*args, **kwargs)


def read_call(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> Call | None:
    """Return the tensors of a call of ``conv2d``; ``None`` if it is no 3x3 convolution that keeps the size of its maps.

    The arguments are those of :func:`torch.nn.functional.conv2d`.
    """
    simple = all(value in (1, (1, 1)) for value in (stride, dilation, groups)) and padding in (1, (1, 1), "same")
    plain = input.ndim == 4 and input.dtype == weight.dtype == torch.float32
    return Call(input, weight, bias) if simple and plain and weight.shape[2:] == (3, 3) else None


def convolve(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return a 3x3 convolution of maps ``[B, C, H, W]`` that keeps their size, by Winograd's algorithm."""
    maps = maps.contiguous()
    if len(maps) == 1:
        return torch._nnpack_spatial_convolution(maps, weight, bias, [1, 1], [1, 1])
    output = maps.new_empty(len(maps), len(weight), *maps.shape[2:])
    # NNPACK takes a way that is twice as slow as soon as there are two cases.
    for index in range(len(maps)):
        output[index] = torch._nnpack_spatial_convolution(maps[index : index + 1], weight, bias, [1, 1], [1, 1])[0]
    return output


def convolve_back(gradient: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient to the input of :func:`convolve`: a convolution with weights that are turned by 180 degrees.

    Args:
        gradient: The gradient to its output, ``[B, D, H, W]``.
        weight: Its weights, ``[D, C, 3, 3]``.
    """
    return convolve(gradient, weight.flip(2, 3).transpose(0, 1).contiguous())


class _Convolution(torch.autograd.Function):
    """:func:`convolve` with gradients; that of the weights is computed by torch, as there is no other kernel for it."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None, back: bool) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.has_bias, ctx.back = bias is not None, back
        return convolve(maps, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight = ctx.saved_tensors
        wanted = list(ctx.needs_input_grad[:3])
        by_us = convolve_back(gradient, weight) if ctx.back and wanted[0] else None
        mask = [wanted[0] and by_us is None, wanted[1], wanted[2] and ctx.has_bias]
        back: tuple[Tensor | None, ...] = convolve_back_by_torch(gradient, maps, weight, mask)
        return (by_us if by_us is not None else back[0], back[1], back[2], None)


def convolve_back_by_torch(
    gradient: Tensor, maps: Tensor, weight: Tensor, wanted: list[bool]
) -> tuple[Tensor | None, ...]:
    """Return torch's gradients of :func:`convolve` to maps, weight and bias, as far as they are wanted."""
    found: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
        gradient, maps, weight, [len(weight)], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, wanted
    )
    return found


def _halves(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> bool:
    """Return whether a call of ``max_pool2d`` with these arguments takes the maximum of every 2x2 pixels."""
    sizes = kernel_size in (2, (2, 2)) and stride in (None, 2, (2, 2))
    return sizes and padding in (0, (0, 0)) and dilation in (1, (1, 1)) and not (ceil_mode or return_indices)


def halve_map(maps: Tensor) -> Tensor:
    """Return the maximum of every 2x2 pixels of maps ``[B, C, H, W]``; an odd last row or column is left out."""
    height, width = maps.shape[-2] // 2 * 2, maps.shape[-1] // 2 * 2
    rows = torch.maximum(maps[..., 0:height:2, :width], maps[..., 1:height:2, :width])
    return torch.maximum(rows[..., 0::2], rows[..., 1::2])
