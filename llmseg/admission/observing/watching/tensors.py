"""What tensors are written down as: numbers of a numpy array, a digest, a few figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

_DEPTH = 3


def list_tensors(value: Any, depth: int = _DEPTH) -> Iterator[torch.Tensor]:
    """Yield the tensors in a value, also in lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth and isinstance(value, dict):
        for each in value.values():
            yield from list_tensors(each, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for each in value:
            yield from list_tensors(each, depth - 1)


def to_array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return a copy of the numbers of a tensor, floating point as float32."""
    with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
        plain = tensor.detach().to("cpu")
        if plain.is_floating_point():
            plain = plain.to(torch.float32)
        return np.array(plain.numpy(), copy=True)


def digest_weights(state: Iterable[tuple[str, torch.Tensor]]) -> str:
    """Return the SHA-256 of named tensors, in the order of their names."""
    total = hashlib.sha256()
    for name, tensor in sorted(state, key=lambda pair: pair[0]):
        total.update(name.encode())
        total.update(np.ascontiguousarray(to_array(tensor)).tobytes())
    return total.hexdigest()


def digest_network(network: torch.nn.Module) -> str:
    """Return the SHA-256 of all parameters and running statistics of a network."""
    named = [*network.named_parameters(), *network.named_buffers()]
    return digest_weights((name, value) for name, value in named if not name.endswith("num_batches_tracked"))


def measure_norm(tensors: Iterable[torch.Tensor | None]) -> float | None:
    """Return the length of all tensors as one vector, ``None`` if there are none."""
    there = [to_array(tensor) for tensor in tensors if tensor is not None]
    return float(np.sqrt(sum(float(np.sum(each.astype(np.float64) ** 2)) for each in there))) if there else None
