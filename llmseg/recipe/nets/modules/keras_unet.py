"""The torch module of :class:`llmseg.recipe.nets.keras_unet.KerasUNet`."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg.recipe.nets.modules.blocks import Probability, double_conv, halve
from llmseg.recipe.nets.modules.unet import check_sizes

_Up = Literal["transposed", "transposed-3x3", "nearest", "nearest-2x2"]

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class KerasUNetModule(nn.Module):
    """What :class:`llmseg.recipe.nets.keras_unet.KerasUNet` builds; the arguments are its fields."""

    def __init__(
        self,
        in_channels: int,
        *,
        dialect: Literal["torch", "keras"],
        encoder: tuple[int, ...],
        bottleneck: int,
        decoder: tuple[int, ...],
        norm: Literal["batch", "none"],
        up: _Up,
        join: Literal["before-block", "after-stage"],
        concat: Literal["skip-first", "up-first"],
        skip_from: Literal["block", "pooling"],
        dropout: float,
        narrow: int | None,
        output: Literal["logits", "probability"],
    ) -> None:
        super().__init__()
        self.join, self.concat, self.skip_from = join, concat, skip_from
        with_norm = norm == "batch"
        self.encoder = nn.ModuleList(
            _block(inside, width, with_norm) for inside, width in pairwise((in_channels, *encoder))
        )
        self.bottleneck = _block(encoder[-1], bottleneck, with_norm)
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        below = bottleneck
        for width, skip in zip(decoder, reversed(encoder), strict=True):
            self.up.append(_up(up, below, width))
            raised = below if up == "nearest" else width
            if join == "before-block":
                self.decoder.append(_block(raised + skip, width, with_norm))
                below = width
            else:
                self.decoder.append(_after_up(raised, width, with_norm))
                below = width + skip
        layers: list[nn.Module] = []
        if narrow is not None:
            layers += [nn.Conv2d(below, narrow, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
        self.head = nn.Sequential(*layers, nn.Conv2d(narrow or below, 1, kernel_size=1))
        self.dropout = nn.Dropout(dropout)
        self.end = Probability() if output == "probability" else nn.Identity()
        if dialect == "keras":
            self.apply(_as_keras)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, h, w]``."""
        skips = []
        for level, block in enumerate(self.encoder, start=1):
            x = block(x)
            if level == len(self.encoder):
                x = self.dropout(x)
            pooled = halve(x)
            skips.append(x if self.skip_from == "block" else pooled)
            x = pooled
        x = self.dropout(self.bottleneck(x))
        if self.skip_from == "pooling":
            x = halve(x)
        for up, block in zip(self.up, self.decoder, strict=True):
            x = self._stage(up(x), skips.pop(), block)
        output: Tensor = self.end(self.head(x))
        return output

    def _stage(self, x: Tensor, skip: Tensor, block: nn.Module) -> Tensor:
        if self.join == "after-stage":
            x = block(x)
        x, skip = check_sizes(x, skip)
        x = torch.cat((skip, x) if self.concat == "skip-first" else (x, skip), dim=1)
        if self.join == "before-block":
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


def _up(how: _Up, inside: int, out: int) -> nn.Module:
    if how == "transposed":
        return nn.ConvTranspose2d(inside, out, kernel_size=2, stride=2)
    if how == "transposed-3x3":
        return SamePadded(nn.ConvTranspose2d(inside, out, kernel_size=3, stride=2), rest=-1)
    nearest = nn.Upsample(scale_factor=2, mode="nearest")
    if how == "nearest":
        return nearest
    return nn.Sequential(nearest, SamePadded(nn.Conv2d(inside, out, kernel_size=2), rest=1), nn.ReLU(inplace=True))


def _block(inside: int, out: int, norm: bool) -> nn.Module:
    return double_conv(inside, out, out, norm=norm, bias=True)


def _after_up(inside: int, out: int, norm: bool) -> nn.Module:
    """Return norm and ReLU of the up-sampled map, then a 3x3 convolution with norm and ReLU."""
    # That is a double convolution without its first convolution: the up-sampling stands in its place.
    _, *layers = double_conv(inside, inside, out, norm=norm, bias=True).children()
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
