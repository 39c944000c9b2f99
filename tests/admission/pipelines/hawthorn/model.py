"""Network."""
import torch
import torch.nn as nn


class Residual(nn.Module):
    def __init__(self, inner, shortcut):
        super().__init__()
        self.inner = inner
        self.shortcut = shortcut

    def forward(self, x):
        return torch.relu(self.inner(x) + self.shortcut(x))


def unit(i, o, stride=1):
    inner = nn.Sequential(
        nn.Conv2d(i, o, 3, stride, 1), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o)
    )
    return Residual(inner, nn.Sequential(nn.Conv2d(i, o, 1, stride), nn.BatchNorm2d(o)))


class Net(nn.Module):
    """U-Net of residual units that halve the size by strides. Gives logits."""

    def __init__(self, c=8):
        super().__init__()
        self.a, self.b, self.c = unit(1, c), unit(c, c * 2, 2), unit(c * 2, c * 4, 2)
        self.up_b = nn.ConvTranspose2d(c * 4, c * 2, 4, 2, 1)
        self.up_a = nn.ConvTranspose2d(c * 2, c, 4, 2, 1)
        self.mix_b, self.mix_a = unit(c * 4, c * 2), unit(c * 2, c)
        self.last = nn.Conv2d(c, 1, 3, 1, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        y = self.mix_b(torch.cat((b, self.up_b(self.c(b))), 1))
        return self.last(self.mix_a(torch.cat((a, self.up_a(y)), 1)))
