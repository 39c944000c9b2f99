"""The module of the U-Net whose skips are pooled and joined after the decoder stage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg.recipe.nets.modules.blocks import double_conv, halve, up_conv


class PooledSkipUNetModule(nn.Module):
    """A decoder stage, then the pooled encoder map of the same index, five times; see the record that builds it."""

    def __init__(
        self,
        encoder: Sequence[int],
        bottleneck: int,
        decoder: Sequence[int],
        size: tuple[int, int],
        in_channels: int,
    ) -> None:
        super().__init__()
        self.size = size
        self.encoder = nn.ModuleList(
            double_conv(inside, width, width, norm=True, bias=True)
            for inside, width in pairwise((in_channels, *encoder))
        )
        self.bottleneck = nn.Conv2d(encoder[-1], bottleneck, kernel_size=3, padding=1)
        joined = [width + skip for width, skip in zip(decoder, reversed(encoder), strict=True)]
        self.decoder = nn.ModuleList(
            up_conv(inside, width, norm=True) for inside, width in zip((bottleneck, *joined), decoder, strict=False)
        )
        self.head = nn.Conv2d(joined[-1], 1, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, *size]``."""
        pooled = []
        for block in self.encoder:
            x = halve(block(x))
            pooled.append(x)
        x = self.bottleneck(x)
        for stage in self.decoder:
            skip = pooled.pop()
            x = torch.cat((skip, crop_centre(stage(x), skip)), dim=1)
        return functional.interpolate(self.head(x), size=self.size, mode="bilinear", align_corners=False)


def crop_centre(x: Tensor, target: Tensor) -> Tensor:
    """Cut the centre of ``x`` to the size of ``target``."""
    height, width = target.shape[-2:]
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    return x[..., top : top + height, left : left + width]
