from __future__ import annotations

import torch
import torch.nn as nn


class SeparableConv(nn.Module):
    """Depthwise 3x3 and pointwise 1x1 convolution, batch norm, ReLU6."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.bn(self.pointwise(self.depthwise(x))))


class Stage(nn.Sequential):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(SeparableConv(in_channels, out_channels), SeparableConv(out_channels, out_channels))


class MobileUNet(nn.Module):
    """Light U-Net (returns logits)."""

    def __init__(self, base: int = 16, dropout: float = 0.1) -> None:
        super().__init__()
        self.inc = nn.Sequential(nn.Conv2d(1, base, 3, padding=1), nn.ReLU6(inplace=True))
        self.down1 = Stage(base, base * 2)
        self.down2 = Stage(base * 2, base * 4)
        self.down3 = Stage(base * 4, base * 8)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.drop = nn.Dropout2d(dropout)
        self.up3 = Stage(base * 12, base * 4)
        self.up2 = Stage(base * 6, base * 2)
        self.up1 = Stage(base * 3, base)
        self.out = nn.Conv2d(base, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x0 = self.inc(x)
        x1 = self.down1(self.pool(x0))
        x2 = self.down2(self.pool(x1))
        x3 = self.drop(self.down3(self.pool(x2)))
        y = self.up3(torch.cat((self.up(x3), x2), 1))
        y = self.up2(torch.cat((self.up(y), x1), 1))
        y = self.up1(torch.cat((self.up(y), x0), 1))
        return self.out(y)
