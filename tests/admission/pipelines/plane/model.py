"""Residual U-Net whose skip connections are added."""
import torch.nn as nn


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(4, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(4, channels),
        )
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(x + self.body(x))


class ResUNet(nn.Module):
    def __init__(self, in_channels=3, out_channels=1, width=8):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3, padding=1)
        self.enc1 = ResidualBlock(width)
        self.down1 = nn.Conv2d(width, width * 2, 2, stride=2)
        self.enc2 = ResidualBlock(width * 2)
        self.down2 = nn.Conv2d(width * 2, width * 4, 2, stride=2)
        self.mid = nn.Sequential(ResidualBlock(width * 4), nn.Dropout(0.3), ResidualBlock(width * 4))
        self.up2 = nn.ConvTranspose2d(width * 4, width * 2, 2, stride=2)
        self.dec2 = ResidualBlock(width * 2)
        self.up1 = nn.ConvTranspose2d(width * 2, width, 2, stride=2)
        self.dec1 = ResidualBlock(width)
        self.head = nn.Conv2d(width, out_channels, 1)

    def forward(self, x):
        e1 = self.enc1(self.stem(x))
        e2 = self.enc2(self.down1(e1))
        m = self.mid(self.down2(e2))
        d2 = self.dec2(self.up2(m) + e2)
        d1 = self.dec1(self.up1(d2) + e1)
        return self.head(d1)
