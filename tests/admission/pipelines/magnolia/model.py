import torch
import torch.nn as nn


class Conv3(nn.Module):
    """Three convolutions, the second and third with a residual connection."""

    def __init__(self, ci, co):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(ci, co, 3, padding=1, bias=False), nn.BatchNorm2d(co), nn.ReLU(inplace=True))
        self.b = nn.Sequential(nn.Conv2d(co, co, 3, padding=1, bias=False), nn.BatchNorm2d(co), nn.ReLU(inplace=True))
        self.c = nn.Sequential(nn.Conv2d(co, co, 3, padding=1, bias=False), nn.BatchNorm2d(co))

    def forward(self, x):
        x = self.a(x)
        return torch.relu(x + self.c(self.b(x)))


class UNet3(nn.Module):
    def __init__(self, channels=(1, 8, 16, 32), n_out=1):
        super().__init__()
        self.enc = nn.ModuleList([Conv3(a, b) for a, b in zip(channels[:-1], channels[1:])])
        wide = channels[-1] * 2
        self.bottom = Conv3(channels[-1], wide)
        self.up, self.dec = nn.ModuleDict(), nn.ModuleDict()
        for level in range(len(channels) - 1, 0, -1):
            c = channels[level]
            self.up[str(level)] = nn.ConvTranspose2d(wide, c, 2, stride=2)
            self.dec[str(level)] = Conv3(2 * c, c)
            wide = c
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.25)
        self.cls = nn.Conv2d(wide, n_out, 1)

    def forward(self, x):
        skips = []
        for enc in self.enc:
            x = enc(x)
            skips.append(x)
            x = self.pool(x)
        x = self.drop(self.bottom(x))
        for level in range(len(skips), 0, -1):
            x = self.up[str(level)](x)
            x = self.dec[str(level)](torch.cat([skips[level - 1], x], dim=1))
        return self.cls(x)
