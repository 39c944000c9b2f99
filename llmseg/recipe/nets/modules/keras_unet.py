"""The torch module of :class:`llmseg.recipe.nets.keras_unet.KerasUNet`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg.recipe.nets.modules.blocks import Probability, double_conv, halve
from llmseg.recipe.nets.modules.unet import check_sizes

if TYPE_CHECKING:
    from llmseg.recipe.nets.keras_unet import KerasUNet

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class KerasUNetModule(nn.Module):
    """What :class:`llmseg.recipe.nets.keras_unet.KerasUNet` builds; see there."""

    def __init__(self, record: KerasUNet, in_channels: int) -> None:
        super().__init__()
        self.record = record
        self.encoder = nn.ModuleList(
            _block(record, inside, width) for inside, width in pairwise((in_channels, *record.encoder))
        )
        self.bottleneck = _block(record, record.encoder[-1], record.bottleneck)
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        below = record.bottleneck
        for width, skip in zip(record.decoder, reversed(record.encoder), strict=True):
            self.up.append(_up(record, below, width))
            raised = below if record.up == "nearest" else width
            if record.join == "before-block":
                self.decoder.append(_block(record, raised + skip, width))
                below = width
            else:
                self.decoder.append(_after_up(record, raised, width))
                below = width + skip
        layers: list[nn.Module] = []
        if record.narrow is not None:
            layers += [nn.Conv2d(below, record.narrow, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
        self.head = nn.Sequential(*layers, nn.Conv2d(record.narrow or below, 1, kernel_size=1))
        self.dropout = nn.Dropout(record.dropout)
        self.end = Probability() if record.output == "probability" else nn.Identity()
        if record.dialect == "keras":
            self.apply(_as_keras)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, h, w]``."""
        skips = []
        for level, block in enumerate(self.encoder, start=1):
            x = block(x)
            if level == len(self.encoder):
                x = self.dropout(x)
            pooled = halve(x)
            skips.append(x if self.record.skip_from == "block" else pooled)
            x = pooled
        x = self.dropout(self.bottleneck(x))
        if self.record.skip_from == "pooling":
            x = halve(x)
        for up, block in zip(self.up, self.decoder, strict=True):
            x = self._stage(up(x), skips.pop(), block)
        output: Tensor = self.end(self.head(x))
        return output

    def _stage(self, x: Tensor, skip: Tensor, block: nn.Module) -> Tensor:
        if self.record.join == "after-stage":
            x = block(x)
        x, skip = check_sizes(x, skip)
        x = torch.cat((skip, x) if self.record.concat == "skip-first" else (x, skip), dim=1)
        if self.record.join == "before-block":
            x = block(x)
        return x


class SamePadded(nn.Module):
    """A layer for which TensorFlow pads, or cuts, at the bottom and right only."""

    def __init__(self, layer: nn.Module, rest: int) -> None:
        super().__init__()
        self.layer = layer
        self.rest = rest

    def forward(self, x: Tensor) -> Tensor:
        """Pad by ``rest`` rows and columns before the layer, or cut as many after it if ``rest`` is negative."""
        if self.rest > 0:
            x = functional.pad(x, (0, self.rest, 0, self.rest))
        x = self.layer(x)
        return x[..., : self.rest, : self.rest] if self.rest < 0 else x


def _up(record: KerasUNet, inside: int, out: int) -> nn.Module:
    if record.up == "transposed":
        return nn.ConvTranspose2d(inside, out, kernel_size=2, stride=2)
    if record.up == "transposed-3x3":
        return SamePadded(nn.ConvTranspose2d(inside, out, kernel_size=3, stride=2), rest=-1)
    nearest = nn.Upsample(scale_factor=2, mode="nearest")
    if record.up == "nearest":
        return nearest
    return nn.Sequential(nearest, SamePadded(nn.Conv2d(inside, out, kernel_size=2), rest=1), nn.ReLU(inplace=True))


def _block(record: KerasUNet, inside: int, out: int) -> nn.Module:
    return double_conv(inside, out, out, norm=record.norm == "batch", bias=True)


def _after_up(record: KerasUNet, inside: int, out: int) -> nn.Module:
    """Return norm and ReLU of the up-sampled map, then a 3x3 convolution with norm and ReLU."""
    # That is a double convolution without its first convolution: the up-sampling stands in its place.
    _, *layers = double_conv(inside, inside, out, norm=record.norm == "batch", bias=True).children()
    for layer in layers:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False  # what it reads may be the output of another ReLU, which that one needs
    return nn.Sequential(*layers)


@torch.no_grad()
def _as_keras(layer: nn.Module) -> None:
    """Start a layer as Keras does. Keras' momentum is the share that is kept, torch's the share that is replaced."""
    if isinstance(layer, _CONVOLUTIONS):
        nn.init.xavier_uniform_(layer.weight)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        layer.eps, layer.momentum = 1e-3, 0.01
