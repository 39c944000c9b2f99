"""The pass that is being observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass
class Pass:
    """The pass that is being observed, or was the last.

    Attributes:
        number: From 0.
        network: The network.
        images: What came in.
        output: What came out; ``None`` before it has.
        modes: Whether each of its modules was in training mode.
        target: What the output was compared with, ``None`` if that was not seen yet.
        gradient: Whether the gradient of the output was written down.
    """

    number: int
    network: torch.nn.Module
    images: torch.Tensor
    modes: list[bool]
    output: torch.Tensor | None = None
    target: np.ndarray[Any, Any] | None = None
    gradient: bool = False
