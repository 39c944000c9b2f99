import torch
from torch import nn


def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, 1, 1), nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1), nn.ReLU())


class Unet(nn.Module):
    """Classic U-Net, bilinear up-sampling, probabilities at the end."""

    def __init__(self, n=10):
        super().__init__()
        self.c1 = double(1, n)
        self.c2 = double(n, n * 2)
        self.c3 = double(n * 2, n * 4)
        self.mid = double(n * 4, n * 4)
        self.c4 = double(n * 8, n * 2)
        self.c5 = double(n * 4, n)
        self.c6 = double(n * 2, n)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False)
        self.last = nn.Conv2d(n, 1, 1)

    def forward(self, x):
        a = self.c1(x)
        b = self.c2(self.pool(a))
        c = self.c3(self.pool(b))
        d = self.mid(self.pool(c))
        d = self.c4(torch.cat([self.up(d), c], 1))
        d = self.c5(torch.cat([self.up(d), b], 1))
        d = self.c6(torch.cat([self.up(d), a], 1))
        return torch.sigmoid(self.last(d))
