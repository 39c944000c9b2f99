"""Builders instead of classes for everything but the network itself."""
import torch
from torch import nn


def conv(i, o, k=3):
    return nn.Sequential(nn.Conv2d(i, o, k, padding=k // 2, bias=False), nn.InstanceNorm2d(o, affine=True), nn.GELU())


def dense(i, o):
    return nn.ModuleList([conv(i, o // 2), conv(i + o // 2, o // 2)])


def run_dense(layers, x):
    a = layers[0](x)
    b = layers[1](torch.cat([x, a], 1))
    return torch.cat([a, b], 1)


class DenseUNet(nn.Module):
    def __init__(self, in_channels=3, c=12):
        super().__init__()
        self.e = nn.ModuleList([dense(in_channels, c), dense(c, 2 * c), dense(2 * c, 4 * c)])
        self.shrink = nn.ModuleList([nn.Conv2d(c, c, 2, 2), nn.Conv2d(2 * c, 2 * c, 2, 2)])
        self.d = nn.ModuleList([dense(4 * c, 2 * c), dense(2 * c, c)])
        self.grow = nn.ModuleList([nn.ConvTranspose2d(4 * c, 2 * c, 2, 2), nn.ConvTranspose2d(2 * c, c, 2, 2)])
        self.final = nn.Sequential(nn.Conv2d(c, 1, 1), nn.Sigmoid())

    def forward(self, x):
        a = run_dense(self.e[0], x)
        b = run_dense(self.e[1], self.shrink[0](a))
        x = run_dense(self.e[2], self.shrink[1](b))
        x = run_dense(self.d[0], torch.cat([self.grow[0](x), b], 1))
        x = run_dense(self.d[1], torch.cat([self.grow[1](x), a], 1))
        return self.final(x)
