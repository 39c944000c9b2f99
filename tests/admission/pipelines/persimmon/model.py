import torch
import torch.nn as nn


class Node(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
            nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
        )

    def forward(self, *inputs):
        return self.layers(torch.cat(inputs, 1))


class NestedUNet(nn.Module):
    """UNet++ of three levels. While training it returns the logits of both heads, otherwise those of the last."""

    def __init__(self, channels=1, widths=(16, 24, 40)):
        super().__init__()
        a, b, c = widths
        self.x00 = Node(channels, a)
        self.x10 = Node(a, b)
        self.x20 = Node(b, c)
        self.x01 = Node(a + b, a)
        self.x11 = Node(b + c, b)
        self.x02 = Node(2 * a + b, a)
        self.down = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.head1 = nn.Conv2d(a, 1, 1)
        self.head2 = nn.Conv2d(a, 1, 1)

    def forward(self, x):
        x00 = self.x00(x)
        x10 = self.x10(self.down(x00))
        x01 = self.x01(x00, self.up(x10))
        x20 = self.x20(self.down(x10))
        x11 = self.x11(x10, self.up(x20))
        x02 = self.x02(x00, x01, self.up(x11))
        last = self.head2(x02)
        if self.training:
            return [self.head1(x01), last]
        return last
