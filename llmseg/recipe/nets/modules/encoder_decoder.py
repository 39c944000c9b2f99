"""The torch modules of the records in :mod:`llmseg.recipe.nets.encoder_decoder`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import Tensor, nn

from llmseg.recipe.nets.modules.blocks import Probability, double_conv, halve, up_conv

if TYPE_CHECKING:
    from llmseg.recipe.nets.encoder_decoder import EncoderDecoder, UnpaddedEncoderDecoder


class EncoderDecoderModule(nn.Module):
    """What :class:`llmseg.recipe.nets.encoder_decoder.EncoderDecoder` builds; see there."""

    def __init__(self, record: EncoderDecoder, in_channels: int) -> None:
        super().__init__()
        self.record = record
        norm = record.norm == "batch"
        self.encoder = nn.ModuleList(
            double_conv(inside, width, width, norm=norm, bias=True)
            for inside, width in pairwise((in_channels, *record.encoder))
        )
        self.decoder = nn.ModuleList(
            up_conv(inside, width, norm=norm) for inside, width in pairwise((record.encoder[-1], *record.decoder))
        )
        self.head = nn.Conv2d(record.decoder[-1], 1, kernel_size=1) if record.head else nn.Identity()
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
            if self.record.skips == "add" and pooled:
                x = x + pooled.pop()
        output: Tensor = self.end(self.head(x))
        return output


def build_unpadded(record: UnpaddedEncoderDecoder, in_channels: int) -> nn.Module:
    """Build what :class:`llmseg.recipe.nets.encoder_decoder.UnpaddedEncoderDecoder` describes."""
    encoder: list[nn.Module] = []
    for inside, width in pairwise((in_channels, *record.encoder)):
        encoder += [nn.Conv2d(inside, width, kernel_size=3), nn.ReLU(), nn.MaxPool2d(2)]
    decoder: list[nn.Module] = []
    for inside, width in pairwise((record.encoder[-1], *record.decoder)):
        decoder += [nn.ConvTranspose2d(inside, width, kernel_size=2, stride=2), nn.ReLU()]
    # The last ReLU is left out: this script ends in a transposed convolution and a sigmoid.
    net = nn.Sequential()
    net.add_module("encoder", nn.Sequential(*encoder))
    net.add_module("decoder", nn.Sequential(*decoder[:-1]))
    net.add_module("sigmoid", Probability())
    return net
