"""U-Net with a configurable depth."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBNReLU(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(0.1, inplace=True),
        )


class UNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=1, depth=4, start_filters=6):
        super().__init__()
        widths = [start_filters * 2 ** level for level in range(depth)]
        self.encoders = nn.ModuleList()
        previous = in_channels
        for width in widths:
            self.encoders.append(nn.Sequential(ConvBNReLU(previous, width), ConvBNReLU(width, width)))
            previous = width
        self.reducers = nn.ModuleList()
        self.decoders = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.reducers.append(nn.Conv2d(width * 2, width, kernel_size=1))
            self.decoders.append(nn.Sequential(ConvBNReLU(width * 2, width), ConvBNReLU(width, width)))
        self.classifier = nn.Conv2d(widths[0], num_classes, kernel_size=1)

    def forward(self, x):
        features = []
        for level, encoder in enumerate(self.encoders):
            if level > 0:
                x = F.max_pool2d(x, kernel_size=2)
            x = encoder(x)
            features.append(x)
        for reducer, decoder, skip in zip(self.reducers, self.decoders, reversed(features[:-1])):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = decoder(torch.cat([reducer(x), skip], dim=1))
        return self.classifier(x)
