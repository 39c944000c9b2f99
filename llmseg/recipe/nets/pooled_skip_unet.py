"""The U-Net whose skips are pooled, as a record of five fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.recipe.nets.net import Net

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class PooledSkipUNet(Net):
    """A U-Net whose skips are the pooled outputs of its encoder blocks and whose bottleneck is one convolution.

    A decoder stage is a 2x2 transposed and a 3x3 convolution. The skip of the same index is concatenated after the
    stage, not before it; the result enters the next stage, and at the end a 3x3 head. A map that is larger than its
    skip is cut to its centre.

    Attributes:
        encoder: Output channels of the pooled blocks, first block first.
        bottleneck: Output channels of the bare 3x3 convolution at the bottom.
        decoder: Output channels of the stages, deepest first; as many as encoder blocks.
        size: Height and width to which the logits are resized (bilinear), whatever the input.
        output: The network ends in logits.

    Example:
        >>> import torch
        >>> net = PooledSkipUNet(encoder=(4, 8), bottleneck=16, decoder=(8, 4), size=(32, 32), output="logits")
        >>> net.build(1)(torch.zeros(1, 1, 32, 32)).shape
        torch.Size([1, 1, 32, 32])
    """

    encoder: tuple[int, ...]
    bottleneck: int
    decoder: tuple[int, ...]
    size: tuple[int, int]
    output: Literal["logits"]

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, *size]``, H and W multiples of 32."""
        from llmseg.recipe.nets.modules.pooled_skip_unet import PooledSkipUNetModule

        return PooledSkipUNetModule(
            in_channels, encoder=self.encoder, bottleneck=self.bottleneck, decoder=self.decoder, size=self.size
        )
