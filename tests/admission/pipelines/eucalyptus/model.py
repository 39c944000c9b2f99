import torch
import torch.nn as nn


class Separable(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.depth = nn.Conv2d(i, i, 3, padding=1, groups=i, bias=False)
        self.point = nn.Conv2d(i, o, 1, bias=False)
        self.norm = nn.BatchNorm2d(o, momentum=0.3)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.norm(self.point(self.depth(x))))


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.a = Separable(i, o)
        self.b = Separable(o, o)

    def forward(self, x):
        x = self.a(x)
        return x + self.b(x)


class SeparableUNet(nn.Module):
    def __init__(self, in_channels=1, base=24, drop=0.1):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, base, 3, padding=1)
        self.enc1 = Block(base, base)
        self.down1 = nn.Conv2d(base, base * 2, 2, stride=2)
        self.enc2 = Block(base * 2, base * 2)
        self.down2 = nn.Conv2d(base * 2, base * 4, 2, stride=2)
        self.enc3 = Block(base * 4, base * 4)
        self.drop = nn.Dropout2d(drop)
        self.up2 = nn.ConvTranspose2d(base * 4, base * 2, 2, stride=2)
        self.dec2 = Block(base * 4, base * 2)
        self.up1 = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.dec1 = Block(base * 2, base)
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        x1 = self.enc1(self.stem(x))
        x2 = self.enc2(self.down1(x1))
        x3 = self.drop(self.enc3(self.down2(x2)))
        y = self.dec2(torch.cat((self.up2(x3), x2), 1))
        y = self.dec1(torch.cat((self.up1(y), x1), 1))
        return self.head(y)
