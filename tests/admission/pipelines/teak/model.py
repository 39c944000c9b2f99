import torch
import torch.nn as nn


class ConvGN(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(4, o), nn.GELU(),
            nn.Conv2d(o, o, 3, padding=1), nn.GroupNorm(4, o), nn.GELU(),
        )

    def forward(self, x):
        return self.net(x)


class SmallUNet(nn.Module):
    def __init__(self, in_ch=3, features=(8, 16, 32, 64)):
        super().__init__()
        f1, f2, f3, f4 = features
        self.c1, self.c2, self.c3, self.c4 = ConvGN(in_ch, f1), ConvGN(f1, f2), ConvGN(f2, f3), ConvGN(f3, f4)
        self.u3, self.u2, self.u1 = (nn.ConvTranspose2d(f4, f3, 2, 2), nn.ConvTranspose2d(f3, f2, 2, 2),
                                     nn.ConvTranspose2d(f2, f1, 2, 2))
        self.k3, self.k2, self.k1 = ConvGN(2 * f3, f3), ConvGN(2 * f2, f2), ConvGN(2 * f1, f1)
        self.pool = nn.AvgPool2d(2)
        self.final = nn.Conv2d(f1, 1, 1)

    def forward(self, x):
        x1 = self.c1(x)
        x2 = self.c2(self.pool(x1))
        x3 = self.c3(self.pool(x2))
        x4 = self.c4(self.pool(x3))
        y = self.k3(torch.cat((x3, self.u3(x4)), 1))
        y = self.k2(torch.cat((x2, self.u2(y)), 1))
        y = self.k1(torch.cat((x1, self.u1(y)), 1))
        return self.final(y)
