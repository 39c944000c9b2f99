import torch
import torch.nn as nn


class ConvBNReLU(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU())


class MiniUNet(nn.Module):
    def __init__(self, in_channels=3, n_classes=1, c=12):
        super().__init__()
        self.inc = nn.Sequential(ConvBNReLU(in_channels, c), ConvBNReLU(c, c))
        self.down1 = nn.Sequential(nn.MaxPool2d(2), ConvBNReLU(c, 2 * c), ConvBNReLU(2 * c, 2 * c))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), ConvBNReLU(2 * c, 4 * c), ConvBNReLU(4 * c, 4 * c))
        self.down3 = nn.Sequential(nn.MaxPool2d(2), ConvBNReLU(4 * c, 4 * c), ConvBNReLU(4 * c, 4 * c))
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.conv3 = ConvBNReLU(8 * c, 2 * c)
        self.conv2 = ConvBNReLU(4 * c, c)
        self.conv1 = ConvBNReLU(2 * c, c)
        self.outc = nn.Conv2d(c, n_classes, 1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        y = self.conv3(torch.cat([self.up(x4), x3], dim=1))
        y = self.conv2(torch.cat([self.up(y), x2], dim=1))
        y = self.conv1(torch.cat([self.up(y), x1], dim=1))
        return self.outc(y)
