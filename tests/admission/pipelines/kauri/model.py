import torch
from torch import nn


def conv_block(i, o, dilation=1):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(o),
        nn.PReLU(o),
    )


class DilatedUNet(nn.Module):
    """Two scales and a bottleneck of growing dilations."""

    def __init__(self, in_channels=3, width=20):
        super().__init__()
        self.enc1 = nn.Sequential(conv_block(in_channels, width), conv_block(width, width))
        self.pool1 = nn.MaxPool2d(2)
        self.enc2 = nn.Sequential(conv_block(width, 2 * width), conv_block(2 * width, 2 * width))
        self.pool2 = nn.MaxPool2d(2)
        self.bridge = nn.ModuleList([conv_block(2 * width, 2 * width, d) for d in (1, 2, 4)])
        self.up2 = nn.ConvTranspose2d(2 * width, 2 * width, 2, stride=2)
        self.dec2 = conv_block(4 * width, width)
        self.up1 = nn.ConvTranspose2d(width, width, 2, stride=2)
        self.dec1 = conv_block(2 * width, width)
        self.classify = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        s1 = self.enc1(x)
        s2 = self.enc2(self.pool1(s1))
        x = self.pool2(s2)
        total = 0
        for layer in self.bridge:
            x = layer(x)
            total = total + x
        x = self.dec2(torch.cat([self.up2(total), s2], dim=1))
        x = self.dec1(torch.cat([self.up1(x), s1], dim=1))
        return self.classify(x)
