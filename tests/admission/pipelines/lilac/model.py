import torch
from torch import nn
from torch.nn.functional import max_pool2d


class Level(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.norm1 = nn.GroupNorm(after // 4, after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.norm2 = nn.GroupNorm(after // 4, after)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self, channels=1, widths=(16, 24, 32, 48)):
        super().__init__()
        self.left = nn.ModuleList([Level(a, b) for a, b in zip((channels,) + widths[:-1], widths)])
        self.lift = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(widths[:-1], widths[1:])])
        self.right = nn.ModuleList([Level(2 * a, a) for a in widths[:-1]])
        self.end = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x):
        skips = []
        for k, level in enumerate(self.left):
            x = level(x if k == 0 else max_pool2d(x, 2))
            skips.append(x)
        for k in reversed(range(len(self.right))):
            x = self.right[k](torch.cat((skips[k], self.lift[k](x)), 1))
        return self.end(x)
