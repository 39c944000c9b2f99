"""Weights from files: what of them a network can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmseg.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def check_values(path: object, tensors: Mapping[str, Any]) -> None:
    """Refuse tensors that are no plain real numbers, all finite.

    A network with other weights gives masks all the same, which mean nothing.

    Args:
        path: What messages call the file.
        tensors: The tensors by name.

    Raises:
        UserError: A tensor is sparse, quantised, nested or without content, is complex, or has values that are not
            finite; the message names it.

    Example:
        >>> import torch
        >>> check_values("w.pth", {"conv.weight": torch.tensor([1.0, float("nan")])})
        Traceback (most recent call last):
        llmseg.errors.UserError: w.pth: 'conv.weight' has 1 values of 2 that are not finite (nan or inf); use ...
    """
    for name, tensor in tensors.items():
        problem = _find_problem(tensor)
        if problem:
            raise UserError(f"{path}: '{name}' {problem}; use weights of a training that did not fail")


def _find_problem(tensor: Tensor) -> str:
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested:
        return "is no plain tensor but sparse, quantised or nested"
    if tensor.device.type == "meta":
        return "has a shape and no values"
    if tensor.is_complex():
        return "has complex numbers"
    # A tensor may claim any shape over a few values that are stored; its own file cannot hold more than it stores.
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return f"has the shape {tuple(tensor.shape)} and fewer values than that"
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        count = tensor.numel() - int(torch.isfinite(tensor).sum())
        return f"has {count} values of {tensor.numel()} that are not finite (nan or inf)"
    return ""
