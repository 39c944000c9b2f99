import torch
from torch import nn
from torch.nn import functional as F


def double_conv(i, o):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(o, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.1, inplace=True),
    )


class Gate(nn.Module):
    """Additive attention gate on a skip connection."""

    def __init__(self, skip, gating, inner):
        super().__init__()
        self.ws = nn.Conv2d(skip, inner, 1)
        self.wg = nn.Conv2d(gating, inner, 1)
        self.psi = nn.Conv2d(inner, 1, 1)

    def forward(self, s, g):
        a = torch.sigmoid(self.psi(F.relu(self.ws(s) + self.wg(g))))
        return s * a


class AttentionUNet(nn.Module):
    def __init__(self, in_channels, out_channels, widths=(12, 24, 48)):
        super().__init__()
        w1, w2, w3 = widths
        self.enc1 = double_conv(in_channels, w1)
        self.enc2 = double_conv(w1, w2)
        self.enc3 = double_conv(w2, w3)
        self.red2 = nn.Conv2d(w3, w2, 1)
        self.red1 = nn.Conv2d(w2, w1, 1)
        self.gate2 = Gate(w2, w2, w1)
        self.gate1 = Gate(w1, w1, w1 // 2)
        self.dec2 = double_conv(w2 * 2, w2)
        self.dec1 = double_conv(w1 * 2, w1)
        self.final = nn.Conv2d(w1, out_channels, 1)

    @staticmethod
    def up(x):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, x):
        s1 = self.enc1(x)
        s2 = self.enc2(F.max_pool2d(s1, 2))
        z = self.enc3(F.max_pool2d(s2, 2))
        g = self.up(self.red2(z))
        z = self.dec2(torch.cat((self.gate2(s2, g), g), 1))
        g = self.up(self.red1(z))
        z = self.dec1(torch.cat((self.gate1(s1, g), g), 1))
        return self.final(z)
