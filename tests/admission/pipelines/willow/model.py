"""U-Net as a recursive module."""
import torch
import torch.nn as nn


def block(a, b):
    return nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ELU(),
        nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.ELU(),
    )


class Level(nn.Module):
    """One level of the U and all that are below."""

    def __init__(self, width, depth):
        super().__init__()
        self.depth = depth
        self.left = block(width if depth else width, width * 2)
        self.inner = Level(width * 2, depth - 1) if depth else nn.Identity()
        self.right = block(width * 4, width * 2) if depth else nn.Identity()
        self.shrink = nn.MaxPool2d(2)
        self.grow = nn.ConvTranspose2d(width * 2, width, 2, stride=2)

    def forward(self, x):
        skip = self.left(self.shrink(x))
        if self.depth:
            skip = self.right(torch.cat([skip, self.inner(skip)], dim=1))
        return self.grow(skip)


class RecursiveUNet(nn.Module):
    def __init__(self, channels=1, width=8, depth=2):
        super().__init__()
        self.first = block(channels, width)
        self.u = Level(width, depth)
        self.last = nn.Sequential(block(width * 2, width), nn.Conv2d(width, 1, 1))

    def forward(self, x):
        x = self.first(x)
        return self.last(torch.cat([x, self.u(x)], dim=1))
