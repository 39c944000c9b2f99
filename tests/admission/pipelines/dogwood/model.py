import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvNormAct(nn.Module):
    def __init__(self, in_ch, out_ch):
        super().__init__()
        self.conv = nn.Conv2d(in_ch, out_ch, kernel_size=3, padding=1)
        self.norm = nn.InstanceNorm2d(out_ch, affine=True)

    def forward(self, x):
        return F.gelu(self.norm(self.conv(x)))


class Stage(nn.Sequential):
    def __init__(self, in_ch, out_ch):
        super().__init__(ConvNormAct(in_ch, out_ch), ConvNormAct(out_ch, out_ch))


class SmallUNet(nn.Module):
    def __init__(self, in_channels=3, features=(8, 16, 32, 64)):
        super().__init__()
        self.down = nn.ModuleList()
        ch = in_channels
        for f in features:
            self.down.append(Stage(ch, f))
            ch = f
        self.up = nn.ModuleList()
        for f in reversed(features[:-1]):
            self.up.append(Stage(ch + f, f))
            ch = f
        self.out = nn.Conv2d(ch, 1, kernel_size=1)

    def forward(self, x):
        skips = []
        for i, stage in enumerate(self.down):
            if i > 0:
                x = F.avg_pool2d(x, 2)
            x = stage(x)
            skips.append(x)
        skips.pop()
        for stage in self.up:
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = stage(torch.cat([x, skip], dim=1))
        return self.out(x)
