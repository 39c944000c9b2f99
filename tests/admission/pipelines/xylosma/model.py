import torch
import torch.nn as nn


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.PReLU(cout),
            nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.PReLU(cout),
        )

    def forward(self, x):
        return self.layers(x)


class DeepUNet(nn.Module):
    """Small U-Net with strided downsampling. In training mode a second, coarser output is returned as well."""

    def __init__(self, base=12):
        super().__init__()
        self.enc1 = Block(1, base)
        self.down1 = nn.Conv2d(base, base * 2, 2, stride=2)
        self.enc2 = Block(base * 2, base * 2)
        self.down2 = nn.Conv2d(base * 2, base * 4, 2, stride=2)
        self.enc3 = Block(base * 4, base * 4)
        self.drop = nn.Dropout2d(0.15)
        self.up2 = nn.ConvTranspose2d(base * 4, base * 2, 2, stride=2)
        self.dec2 = Block(base * 4, base * 2)
        self.up1 = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.dec1 = Block(base * 2, base)
        self.head = nn.Conv2d(base, 1, 1)
        self.aux = nn.Conv2d(base * 2, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(self.down1(a))
        c = self.drop(self.enc3(self.down2(b)))
        d = self.dec2(torch.cat([self.up2(c), b], 1))
        e = self.dec1(torch.cat([self.up1(d), a], 1))
        out = self.head(e)
        if self.training:
            aux = nn.functional.interpolate(self.aux(d), size=x.shape[-2:], mode="bilinear", align_corners=False)
            return out, aux
        return out
