"""The base of every network: what a recipe asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from llmseg.recipe.part import Part

if TYPE_CHECKING:
    import torch


class Net(Part, ABC):
    """Base of every network record.

    Attributes:
        output: Whether the network ends in logits or, after a sigmoid, in probabilities.
    """

    output: Literal["logits", "probability"]

    @abstractmethod
    def build(self, in_channels: int) -> torch.nn.Module:
        """Build a module that maps float32 ``[B, in_channels, H, W]`` to ``[B, 1, h, w]``."""

    def start(self, in_channels: int) -> torch.nn.Module:
        """Build the module with the weights that a training starts from.

        They are freshly drawn, unless the network has weights that somebody trained before.
        """
        return self.build(in_channels)
