import torch
import torch.nn as nn


class SqueezeExcite(nn.Module):
    def __init__(self, ch, r=4):
        super().__init__()
        self.fc = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(ch, ch // r, 1), nn.ReLU(),
            nn.Conv2d(ch // r, ch, 1), nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.fc(x)


class SEBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(cin, cout, 3, padding=1), nn.GroupNorm(4, cout), nn.ReLU(),
            nn.Conv2d(cout, cout, 3, padding=1), nn.GroupNorm(4, cout), nn.ReLU(),
        )
        self.se = SqueezeExcite(cout)

    def forward(self, x):
        return self.se(self.conv(x))


class SEUNet(nn.Module):
    def __init__(self, in_ch=1, base=16):
        super().__init__()
        self.enc1 = SEBlock(in_ch, base)
        self.enc2 = SEBlock(base, 2 * base)
        self.mid = SEBlock(2 * base, 4 * base)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.dec2 = SEBlock(6 * base, 2 * base)
        self.dec1 = SEBlock(3 * base, base)
        self.out = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(self.pool(a))
        m = self.mid(self.pool(b))
        d = self.dec2(torch.cat([self.up(m), b], 1))
        d = self.dec1(torch.cat([self.up(d), a], 1))
        return self.out(d)
