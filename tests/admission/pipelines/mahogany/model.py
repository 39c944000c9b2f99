import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBlock(nn.Module):
    def __init__(self, in_ch, out_ch):
        super().__init__()
        self.conv1 = nn.Conv2d(in_ch, out_ch, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(out_ch, momentum=0.3)
        self.conv2 = nn.Conv2d(out_ch, out_ch, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_ch, momentum=0.3)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class UNetSmall(nn.Module):
    def __init__(self, n_channels=3, n_classes=1, base=16, dropout=0.2):
        super().__init__()
        self.dropout = dropout
        self.inc = ConvBlock(n_channels, base)
        self.down1 = ConvBlock(base, base * 2)
        self.down2 = ConvBlock(base * 2, base * 4)
        self.up1 = ConvBlock(base * 4 + base * 2, base * 2)
        self.up2 = ConvBlock(base * 2 + base, base)
        self.outc = nn.Conv2d(base, n_classes, 1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(F.max_pool2d(x1, 2))
        x3 = self.down2(F.max_pool2d(x2, 2))
        x3 = F.dropout2d(x3, p=self.dropout)
        y = F.interpolate(x3, scale_factor=2, mode="bilinear", align_corners=True)
        y = self.up1(torch.cat([y, x2], dim=1))
        y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=True)
        y = self.up2(torch.cat([y, x1], dim=1))
        return self.outc(y)
