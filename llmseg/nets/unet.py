"""The module of the regular U-Net."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg.errors import UserError
from llmseg.nets.blocks import double_conv, halve
from llmseg.unet import UNet


class UNetModule(nn.Module):
    """What :class:`llmseg.unet.UNet` builds; see there."""

    def __init__(self, record: UNet, in_channels: int) -> None:
        super().__init__()
        self.record = record
        norm, bias = record.norm == "batch", record.bias
        self.encoder, self.up, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        channels = in_channels
        for width in record.encoder:
            self.encoder.append(double_conv(channels, width, width, norm=norm, bias=bias))
            channels = width
        self.bottleneck = double_conv(channels, record.bottleneck, record.bottleneck, norm=norm, bias=bias)
        channels = record.bottleneck
        for width, skip in zip(record.decoder, reversed(record.encoder), strict=True):
            if record.up == "transposed":
                self.up.append(nn.ConvTranspose2d(channels, width, kernel_size=2, stride=2))
                channels = width
            else:
                self.up.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True))
            inside = channels + skip
            hidden = width if record.hidden == "block" else inside // 2
            self.decoder.append(double_conv(inside, hidden, width, norm=norm, bias=bias))
            channels = width
        self.head = nn.Conv2d(channels, 1, kernel_size=1)
        self.dropout = nn.Dropout2d(record.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, h, w]``."""
        skips = []
        for block in self.encoder:
            x = block(x)
            pooled = halve(x)
            skips.append(x if self.record.skip_from == "block" else pooled)
            x = pooled
        x = self.dropout(self.bottleneck(x))
        if self.record.pool_bottleneck:
            x = halve(x)
        for up, block in zip(self.up, self.decoder, strict=True):
            x, skip = _FITTED[self.record.mismatch](up(x), skips.pop())
            x = block(torch.cat((skip, x) if self.record.concat == "skip-first" else (x, skip), dim=1))
        x = self.head(x)
        return torch.sigmoid(x) if self.record.output == "probability" else x


def _equal(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    if x.shape[-2:] != skip.shape[-2:]:
        raise UserError(
            f"a map of {_size(x)} meets a skip of {_size(skip)}: this network needs input sides that can be halved "
            "at every pooling without a rest; choose images.size accordingly, for example 256,256"
        )
    return x, skip


def _pad(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the difference before, the rest after."""
    rows, columns = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
    return functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)), skip


def _resize(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=True), skip


def _crop(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return x, skip[..., : x.shape[-2], : x.shape[-1]]


_FITTED = {"error": _equal, "pad": _pad, "resize": _resize, "crop": _crop}


def _size(x: Tensor) -> str:
    return f"{x.shape[-2]}x{x.shape[-1]}"
