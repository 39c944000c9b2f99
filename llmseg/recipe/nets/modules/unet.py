"""The torch module of :class:`llmseg.recipe.nets.unet.UNet`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg.errors import UserError
from llmseg.recipe.nets.modules.blocks import Probability, double_conv, halve


class UNetModule(nn.Module):
    """What :class:`llmseg.recipe.nets.unet.UNet` builds; the arguments are its fields.

    Those that decide the layers come together as ``layers``; the others say how the layers are joined.
    """

    def __init__(
        self,
        layers: UNetLayers,
        *,
        concat: Literal["skip-first", "up-first"],
        skip_from: Literal["block", "pooling"],
        pool_last: bool,
        pool_bottleneck: bool,
        dropout: float,
        mismatch: Literal["error", "pad", "resize", "resize-nearest", "crop"],
        drawn: Literal["stages", "ups-first", "blocks-first", "bottleneck-last"],
        output: Literal["logits", "probability"],
    ) -> None:
        super().__init__()
        self.concat, self.skip_from, self.mismatch = concat, skip_from, mismatch
        self.pool_last, self.pool_bottleneck = pool_last, pool_bottleneck
        # A layer draws its weights when it is created. Layers are created in the order of the script and registered
        # below in one order for all, so that a seed gives the script's weights and all state dicts look alike.
        stages = range(len(layers.encoder))
        created = {name: layers.create(name) for name in _draw_order(stages, drawn)}
        self.encoder = nn.ModuleList(created[f"encoder.{i}"] for i in stages)
        self.bottleneck = created["bottleneck"]
        self.up = nn.ModuleList(created[f"up.{i}"] for i in stages)
        self.decoder = nn.ModuleList(created[f"decoder.{i}"] for i in stages)
        self.head = created["head"]
        self.dropout = nn.Dropout2d(dropout)
        self.end = Probability() if output == "probability" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, h, w]``."""
        skips = []
        for level, block in enumerate(self.encoder, start=1):
            x = block(x)
            pooled = halve(x)
            skips.append(x if self.skip_from == "block" else pooled)
            if level < len(self.encoder) or self.pool_last:
                x = pooled
        x = self.dropout(self.bottleneck(x))
        if self.pool_bottleneck:
            x = halve(x)
        for up, block in zip(self.up, self.decoder, strict=True):
            x, skip = _MATCH[self.mismatch](up(x), skips.pop())
            x = block(torch.cat((skip, x) if self.concat == "skip-first" else (x, skip), dim=1))
        output: Tensor = self.end(self.head(x))
        return output


def _draw_order(stages: range, drawn: str) -> list[str]:
    """Return the names of the layers in the order in which their weights are drawn."""
    ups, blocks = [f"up.{i}" for i in stages], [f"decoder.{i}" for i in stages]
    by_stage = [name for pair in zip(ups, blocks, strict=True) for name in pair]
    middle = {
        "stages": ["bottleneck", *by_stage],
        "ups-first": ["bottleneck", *ups, *blocks],
        "blocks-first": ["bottleneck", *blocks, *ups],
        "bottleneck-last": [*by_stage, "bottleneck"],
    }
    return [*(f"encoder.{i}" for i in stages), *middle[drawn], "head"]


@dataclass(frozen=True, kw_only=True)
class UNetLayers:
    """What decides the layers of a U-Net; :class:`llmseg.recipe.nets.unet.UNet` says what each field means."""

    in_channels: int
    encoder: tuple[int, ...]
    bottleneck: int
    decoder: tuple[int, ...]
    norm: Literal["batch", "none"]
    bias: bool
    up: Literal["transposed", "bilinear"]
    hidden: Literal["block", "half"]

    def create(self, name: str) -> nn.Module:
        """Create one layer with freshly drawn weights, such as ``encoder.0``, ``bottleneck``, ``up.0`` or ``head``."""
        kind, _, index = name.partition(".")
        i = int(index or 0)
        inputs = (self.in_channels, *self.encoder)
        if kind == "encoder":
            return self._block(inputs[i], self.encoder[i], self.encoder[i])
        if kind == "bottleneck":
            return self._block(inputs[-1], self.bottleneck, self.bottleneck)
        if kind == "head":
            return nn.Conv2d(self.decoder[-1], 1, kernel_size=1)
        below, width = (self.bottleneck, *self.decoder)[i], self.decoder[i]
        if kind == "up" and self.up == "transposed":
            return nn.ConvTranspose2d(below, width, kernel_size=2, stride=2)
        if kind == "up":
            return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        # A transposed convolution narrows the map to the width of the block, a bilinear enlargement keeps its channels.
        inside = (width if self.up == "transposed" else below) + self.encoder[-1 - i]
        return self._block(inside, inside // 2 if self.hidden == "half" else width, width)

    def _block(self, inside: int, hidden: int, out: int) -> nn.Module:
        return double_conv(inside, hidden, out, norm=self.norm == "batch", bias=self.bias)


def check_sizes(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    """Return a map and the skip it meets; raise :class:`UserError` if they differ in size."""
    if x.shape[-2:] != skip.shape[-2:]:
        raise UserError(
            f"a map of {_size(x)} meets a skip of {_size(skip)}: this network needs input sides that can be halved "
            "at every pooling without a rest; choose images.size accordingly, for example 256,256"
        )
    return x, skip


def _pad(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    """Put half of the missing rows and columns before the map and the rest after it.

    A difference that is odd puts one more at the bottom and right, as the scripts do. If the map is larger than the
    skip, the differences are negative and torch's ``pad`` cuts: what remains is the centre of the map.
    """
    rows, columns = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
    return functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)), skip


def _resize(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=True), skip


def _resize_nearest(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return functional.interpolate(x, size=skip.shape[-2:], mode="nearest"), skip


def _crop(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    """Cut the skip to its top left part; here it is the skip that is larger, not the map."""
    return x, skip[..., : x.shape[-2], : x.shape[-1]]


_MATCH = {"error": check_sizes, "pad": _pad, "resize": _resize, "resize-nearest": _resize_nearest, "crop": _crop}


def _size(x: Tensor) -> str:
    return f"{x.shape[-2]}x{x.shape[-1]}"
