"""The base of every network: what a recipe asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError
from llmseg.recipe.part import Part

if TYPE_CHECKING:
    import torch


class Net(Part, ABC):
    """Base of every network record.

    Attributes:
        output: Whether the network ends in logits or, after a sigmoid, in probabilities.

    Example:
        >>> from llmseg import zoo
        >>> net: Net = zoo.TEXTBOOK.net
        >>> sum(weight.numel() for weight in net.build(1).parameters())
        31042369
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


def check_u_net(encoder: tuple[int, ...], decoder: tuple[int, ...], dropout: float) -> None:
    """Check what all kinds of U-Nets ask of their fields.

    Raises:
        UserError: Encoder and decoder have different numbers of blocks or none, or dropout is no share below 1.
    """
    if len(encoder) != len(decoder) or not encoder:
        raise UserError(
            f"net.encoder has {len(encoder)} blocks and net.decoder {len(decoder)}; "
            "a U-Net needs as many of one as of the other, at least one"
        )
    if not 0 <= dropout < 1:
        raise UserError(f"net.dropout is {dropout}; it must be at least 0 and below 1")
