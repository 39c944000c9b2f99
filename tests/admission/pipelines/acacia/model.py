"""Residual U-Net with group normalisation. The output is one map of logits."""
import torch
from torch import nn
from torch.nn import functional as F


class ResBlock(nn.Module):
    def __init__(self, cin, cout, groups=4):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(min(groups, cin), cin), nn.Conv2d(cin, cout, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(groups, cout), nn.Conv2d(cout, cout, 3, padding=1)
        self.skip = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + self.skip(x)


class GNResUNet(nn.Module):
    def __init__(self, widths=(8, 16, 32, 48)):
        super().__init__()
        self.stem = nn.Conv2d(1, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList([ResBlock(widths[max(i - 1, 0)], w) for i, w in enumerate(widths)])
        self.decoder = nn.ModuleList([ResBlock(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1])])
        self.head = nn.Sequential(nn.GroupNorm(4, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 1, 1))

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for i, block in enumerate(self.encoder):
            x = block(F.avg_pool2d(x, 2) if i else x)
            skips.append(x)
        for block, skip in zip(self.decoder, skips[-2::-1]):
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], dim=1))
        return self.head(x)
