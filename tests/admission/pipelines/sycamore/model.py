import torch
import torch.nn as nn


def separable(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cin, 3, padding=1, groups=cin, bias=False),
        nn.Conv2d(cin, cout, 1, bias=False),
        nn.BatchNorm2d(cout),
        nn.SiLU(),
    )


def block(cin, cout):
    return nn.Sequential(separable(cin, cout), separable(cout, cout))


class SeparableUNet(nn.Module):
    def __init__(self, channels=3, width=24):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.SiLU())
        self.e1 = block(width, width)
        self.e2 = block(width, width * 2)
        self.e3 = block(width * 2, width * 4)
        self.mid = block(width * 4, width * 4)
        self.d3 = block(width * 8, width * 2)
        self.d2 = block(width * 4, width)
        self.d1 = block(width * 2, width)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        a = self.e1(self.stem(x))
        b = self.e2(self.pool(a))
        c = self.e3(self.pool(b))
        m = self.mid(self.pool(c))
        y = self.d3(torch.cat([self.up(m), c], 1))
        y = self.d2(torch.cat([self.up(y), b], 1))
        y = self.d1(torch.cat([self.up(y), a], 1))
        return torch.sigmoid(self.head(y))
