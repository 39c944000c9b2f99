import torch
import torch.nn as nn
from torch import Tensor


def conv_block(cin: int, cout: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
        nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
    )


class AttentionGate(nn.Module):
    def __init__(self, gate_ch: int, skip_ch: int, inter_ch: int) -> None:
        super().__init__()
        self.wg = nn.Conv2d(gate_ch, inter_ch, 1)
        self.wx = nn.Conv2d(skip_ch, inter_ch, 1)
        self.psi = nn.Conv2d(inter_ch, 1, 1)

    def forward(self, gate: Tensor, skip: Tensor) -> Tensor:
        attention = torch.sigmoid(self.psi(torch.relu(self.wg(gate) + self.wx(skip))))
        return skip * attention


class AttentionUNet(nn.Module):
    def __init__(self, in_channels: int = 1, base: int = 16) -> None:
        super().__init__()
        self.enc1 = conv_block(in_channels, base)
        self.enc2 = conv_block(base, base * 2)
        self.enc3 = conv_block(base * 2, base * 4)
        self.pool = nn.MaxPool2d(2)
        self.up2 = nn.ConvTranspose2d(base * 4, base * 2, 2, stride=2)
        self.att2 = AttentionGate(base * 2, base * 2, base)
        self.dec2 = conv_block(base * 4, base * 2)
        self.up1 = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.att1 = AttentionGate(base, base, base // 2)
        self.dec1 = conv_block(base * 2, base)
        self.out = nn.Conv2d(base, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool(e1))
        e3 = self.enc3(self.pool(e2))
        g2 = self.up2(e3)
        d2 = self.dec2(torch.cat([self.att2(g2, e2), g2], dim=1))
        g1 = self.up1(d2)
        d1 = self.dec1(torch.cat([self.att1(g1, e1), g1], dim=1))
        return self.out(d1)
