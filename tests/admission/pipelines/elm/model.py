# model.py
import torch
import torch.nn as nn


class Down(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.norm1 = nn.InstanceNorm2d(cout, affine=True)
        self.norm2 = nn.InstanceNorm2d(cout, affine=True)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class Up(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = Down(cin, cout)

    def forward(self, x, skip):
        x = self.up(x)
        return self.conv(torch.cat([x, skip], dim=1))


class UNetSmall(nn.Module):
    def __init__(self, channels=1, classes=1, width=12):
        super().__init__()
        self.d1 = Down(channels, width)
        self.d2 = Down(width, 2 * width)
        self.d3 = Down(2 * width, 4 * width)
        self.u2 = Up(4 * width + 2 * width, 2 * width)
        self.u1 = Up(2 * width + width, width)
        self.out = nn.Conv2d(width, classes, 1)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x):
        e1 = self.d1(x)
        e2 = self.d2(self.pool(e1))
        e3 = self.d3(self.pool(e2))
        return self.out(self.u1(self.u2(e3, e2), e1))
