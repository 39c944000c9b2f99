import torch
from torch import nn
import torch.nn.functional as F


class ResidualBlock(nn.Module):
    def __init__(self, cin, cout, dropout=0.0):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
        self.norm1 = nn.InstanceNorm2d(cout, affine=True)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.norm2 = nn.InstanceNorm2d(cout, affine=True)
        self.skip = nn.Conv2d(cin, cout, 1, bias=False) if cin != cout else nn.Identity()
        self.drop = nn.Dropout2d(dropout)

    def forward(self, x):
        y = F.leaky_relu(self.norm1(self.conv1(x)), 0.01)
        y = self.drop(y)
        y = self.norm2(self.conv2(y))
        return F.leaky_relu(y + self.skip(x), 0.01)


class ResUNet(nn.Module):
    def __init__(self, in_channels=1, widths=(12, 24, 48), dropout=0.1):
        super().__init__()
        self.downs = nn.ModuleList()
        c = in_channels
        for w in widths:
            self.downs.append(ResidualBlock(c, w, dropout))
            c = w
        self.ups = nn.ModuleList()
        for w in reversed(widths[:-1]):
            self.ups.append(ResidualBlock(c + w, w))
            c = w
        self.out = nn.Conv2d(c, 1, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.downs):
            x = block(x)
            if i < len(self.downs) - 1:
                skips.append(x)
                x = F.max_pool2d(x, 2)
        for block, skip in zip(self.ups, reversed(skips)):
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], dim=1))
        return self.out(x)
