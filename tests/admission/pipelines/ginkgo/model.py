"""Compact U-Net with strided convolutions and pixel shuffle."""

import torch
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm = nn.GroupNorm(2, out_channels)
        self.act = nn.Mish()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class Up(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(in_channels, out_channels * 4, 1)
        self.shuffle = nn.PixelShuffle(2)
        self.fuse = nn.Sequential(Block(out_channels * 2, out_channels), Block(out_channels, out_channels))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.fuse(torch.cat([self.shuffle(self.expand(x)), skip], dim=1))


class PixelShuffleUNet(nn.Module):
    """Predicts the probability of the foreground for every pixel."""

    def __init__(self, width: int = 10) -> None:
        super().__init__()
        w = width
        self.level1 = nn.Sequential(Block(1, w), Block(w, w))
        self.down1 = nn.Conv2d(w, 2 * w, 3, stride=2, padding=1)
        self.level2 = nn.Sequential(Block(2 * w, 2 * w), Block(2 * w, 2 * w))
        self.down2 = nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1)
        self.level3 = nn.Sequential(Block(4 * w, 4 * w), Block(4 * w, 4 * w))
        self.up2 = Up(4 * w, 2 * w)
        self.up1 = Up(2 * w, w)
        self.classify = nn.Conv2d(w, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.level1(x)
        x2 = self.level2(self.down1(x1))
        x3 = self.level3(self.down2(x2))
        out = self.up1(self.up2(x3, x2), x1)
        return torch.sigmoid(self.classify(out))
