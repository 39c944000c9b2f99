"""The torch modules of the records in :mod:`llmseg.recipe.nets.encoder_decoder`."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from llmseg.recipe.nets.modules.blocks import Probability, double_conv, halve, up_conv


class EncoderDecoderModule(nn.Module):
    """What :class:`llmseg.recipe.nets.encoder_decoder.EncoderDecoder` builds; the arguments are its fields."""

    def __init__(
        self,
        in_channels: int,
        *,
        encoder: tuple[int, ...],
        decoder: tuple[int, ...],
        norm: Literal["batch", "none"],
        skips: Literal["add", "none"],
        head: bool,
    ) -> None:
        super().__init__()
        self.skips = skips
        self.encoder = nn.ModuleList(
            double_conv(inside, width, width, norm=norm == "batch", bias=True)
            for inside, width in pairwise((in_channels, *encoder))
        )
        self.decoder = nn.ModuleList(
            up_conv(inside, width, norm=norm == "batch") for inside, width in pairwise((encoder[-1], *decoder))
        )
        self.head = nn.Conv2d(decoder[-1], 1, kernel_size=1) if head else nn.Identity()
        self.end = Probability()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, h, w]``."""
        pooled = []
        for block in self.encoder:
            x = halve(block(x))
            pooled.append(x)
        pooled.pop()  # the deepest map is what is decoded, not a skip
        for stage in self.decoder:
            x = stage(x)
            if self.skips == "add" and pooled:
                x = x + pooled.pop()
        output: Tensor = self.end(self.head(x))
        return output


def build_unpadded(in_channels: int, *, encoder: tuple[int, ...], decoder: tuple[int, ...]) -> nn.Module:
    """Build what :class:`llmseg.recipe.nets.encoder_decoder.UnpaddedEncoderDecoder` describes."""
    down: list[nn.Module] = []
    for inside, width in pairwise((in_channels, *encoder)):
        down += [nn.Conv2d(inside, width, kernel_size=3), nn.ReLU(), nn.MaxPool2d(2)]
    up: list[nn.Module] = []
    for inside, width in pairwise((encoder[-1], *decoder)):
        up += [nn.ConvTranspose2d(inside, width, kernel_size=2, stride=2), nn.ReLU()]
    # The last ReLU is left out: this script ends in a transposed convolution and a sigmoid.
    net = nn.Sequential()
    net.add_module("encoder", nn.Sequential(*down))
    net.add_module("decoder", nn.Sequential(*up[:-1]))
    net.add_module("sigmoid", Probability())
    return net
