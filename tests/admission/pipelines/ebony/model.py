import torch
import torch.nn as nn
import torch.nn.functional as F


class UNetSE(nn.Module):
    """U-Net with squeeze-and-excitation and bilinear upsampling.

    Output: logits, same size as the input.
    """

    def __init__(self, n_channels=1, n_classes=1, f=(10, 20, 40, 80), p_drop=0.3):
        super().__init__()
        self.p_drop = p_drop
        self.c1, self.s1 = self._double(n_channels, f[0]), self._se(f[0])
        self.c2, self.s2 = self._double(f[0], f[1]), self._se(f[1])
        self.c3, self.s3 = self._double(f[1], f[2]), self._se(f[2])
        self.mid = self._double(f[2], f[3])
        self.u3 = self._double(f[3] + f[2], f[2])
        self.u2 = self._double(f[2] + f[1], f[1])
        self.u1 = self._double(f[1] + f[0], f[0])
        self.out = nn.Conv2d(f[0], n_classes, 1)

    @staticmethod
    def _double(i, o):
        return nn.Sequential(
            nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.PReLU(o),
            nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.PReLU(o),
        )

    @staticmethod
    def _se(c):
        return nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c // 2, 1), nn.ReLU(), nn.Conv2d(c // 2, c, 1), nn.Sigmoid())

    def forward(self, x):
        x1 = self.c1(x)
        x1 = x1 * self.s1(x1)
        x2 = self.c2(F.max_pool2d(x1, 2))
        x2 = x2 * self.s2(x2)
        x3 = self.c3(F.max_pool2d(x2, 2))
        x3 = x3 * self.s3(x3)
        m = self.mid(F.max_pool2d(x3, 2))
        m = F.dropout(m, p=self.p_drop)  # regularisation of the bottleneck
        y = self.u3(torch.cat([self._up(m), x3], 1))
        y = self.u2(torch.cat([self._up(y), x2], 1))
        y = self.u1(torch.cat([self._up(y), x1], 1))
        return self.out(y)

    @staticmethod
    def _up(x):
        return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
