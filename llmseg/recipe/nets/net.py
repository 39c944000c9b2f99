"""What a recipe asks of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from llmseg.recipe.part import Part

if TYPE_CHECKING:
    import torch


class Net(Part, ABC):
    """Network."""

    output: Literal["logits", "probability"]

    @abstractmethod
    def build(self, in_channels: int) -> torch.nn.Module:
        """Build a module that maps float32 ``[B, in_channels, H, W]`` to ``[B, 1, h, w]``."""

    def start(self, in_channels: int) -> torch.nn.Module:
        """Build the module with the weights a training starts from: freshly drawn, unless a network says otherwise."""
        return self.build(in_channels)
