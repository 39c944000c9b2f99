import torch
from torch import nn


def norm(c):
    return nn.GroupNorm(4, c)


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.f = nn.Sequential(norm(c), nn.SiLU(), nn.Conv2d(c, c, 3, padding=1),
                               norm(c), nn.SiLU(), nn.Conv2d(c, c, 3, padding=1))

    def forward(self, x):
        return x + self.f(x)


class Net(nn.Module):
    def __init__(self, channels=3, widths=(12, 24, 48)):
        super().__init__()
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.encoders = nn.ModuleList(Residual(w) for w in widths)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, widths[1:]))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(widths, widths[1:]))
        self.decoders = nn.ModuleList(Residual(w) for w in widths[:-1])
        self.last = nn.Sequential(norm(widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 1, 1))

    def forward(self, x):
        x, kept = self.first(x), []
        for encoder, down in zip(self.encoders, self.downs):
            x = encoder(x)
            kept.append(x)
            x = down(x)
        x = self.encoders[-1](x)
        for i in range(len(self.ups) - 1, -1, -1):
            x = self.decoders[i](self.ups[i](x) + kept[i])
        return self.last(x)
