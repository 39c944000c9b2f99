import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return x


class UNetSmall(nn.Module):
    def __init__(self, in_channels=1, num_classes=1, filters=(16, 32, 64), dropout=0.25):
        super().__init__()
        self.dropout = dropout
        self.down1 = ConvBlock(in_channels, filters[0])
        self.down2 = ConvBlock(filters[0], filters[1])
        self.bridge = ConvBlock(filters[1], filters[2])
        self.up2 = nn.ConvTranspose2d(filters[2], filters[1], kernel_size=2, stride=2)
        self.conv2 = ConvBlock(filters[1] * 2, filters[1])
        self.up1 = nn.ConvTranspose2d(filters[1], filters[0], kernel_size=2, stride=2)
        self.conv1 = ConvBlock(filters[0] * 2, filters[0])
        self.output = nn.Conv2d(filters[0], num_classes, kernel_size=1)

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        b = self.bridge(F.max_pool2d(d2, 2))
        b = F.dropout(b, p=self.dropout)
        u2 = self.conv2(torch.cat([self.up2(b), d2], dim=1))
        u1 = self.conv1(torch.cat([self.up1(u2), d1], dim=1))
        return self.output(u1)
