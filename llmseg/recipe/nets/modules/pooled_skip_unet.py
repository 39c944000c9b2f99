"""The torch module of :class:`llmseg.recipe.nets.pooled_skip_unet.PooledSkipUNet`."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg.recipe.nets.modules.blocks import double_conv, halve, up_conv


class PooledSkipUNetModule(nn.Module):
    """What :class:`llmseg.recipe.nets.pooled_skip_unet.PooledSkipUNet` builds; the arguments are its fields."""

    def __init__(
        self,
        in_channels: int,
        *,
        encoder: tuple[int, ...],
        bottleneck: int,
        decoder: tuple[int, ...],
        size: tuple[int, int],
    ) -> None:
        super().__init__()
        self.size = size
        self.encoder = nn.ModuleList(
            double_conv(inside, width, width, norm=True, bias=True)
            for inside, width in pairwise((in_channels, *encoder))
        )
        self.bottleneck = nn.Conv2d(encoder[-1], bottleneck, kernel_size=3, padding=1)
        joined = [width + skip for width, skip in zip(decoder, reversed(encoder), strict=True)]
        inputs = (bottleneck, *joined[:-1])
        self.decoder = nn.ModuleList(
            up_conv(inside, width, norm=True) for inside, width in zip(inputs, decoder, strict=True)
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
            # The deepest skip has the size of the bottleneck, so the first map, enlarged before they meet, is twice as
            # large and is cut. After that maps and skips are equal in size.
            skip = pooled.pop()
            x = torch.cat((skip, crop_centre(stage(x), skip)), dim=1)
        return functional.interpolate(self.head(x), size=self.size, mode="bilinear", align_corners=False)


def crop_centre(x: Tensor, target: Tensor) -> Tensor:
    """Cut the centre of ``x`` to the size of ``target``."""
    height, width = target.shape[-2:]
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    return x[..., top : top + height, left : left + width]
