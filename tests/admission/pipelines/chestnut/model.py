import torch
import torch.nn as nn


class ConvBlock(nn.Module):
    def __init__(self, in_c, out_c):
        super().__init__()
        self.conv1 = nn.Conv2d(in_c, out_c, kernel_size=3, padding=1)
        self.bn1 = nn.BatchNorm2d(out_c)
        self.conv2 = nn.Conv2d(out_c, out_c, kernel_size=3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_c)
        self.relu = nn.ReLU()

    def forward(self, inputs):
        x = self.relu(self.bn1(self.conv1(inputs)))
        return self.relu(self.bn2(self.conv2(x)))


class EncoderBlock(nn.Module):
    def __init__(self, in_c, out_c):
        super().__init__()
        self.conv = ConvBlock(in_c, out_c)
        self.pool = nn.MaxPool2d((2, 2))

    def forward(self, inputs):
        x = self.conv(inputs)
        return x, self.pool(x)


class AttentionGate(nn.Module):
    """Weighs a skip connection by what comes from below."""

    def __init__(self, gate_c, skip_c):
        super().__init__()
        self.gate = nn.Conv2d(gate_c, skip_c, kernel_size=1)
        self.skip = nn.Conv2d(skip_c, skip_c, kernel_size=1)
        self.psi = nn.Conv2d(skip_c, 1, kernel_size=1)

    def forward(self, gate, skip):
        weight = torch.sigmoid(self.psi(torch.relu(self.gate(gate) + self.skip(skip))))
        return skip * weight


class DecoderBlock(nn.Module):
    def __init__(self, in_c, out_c):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_c, out_c, kernel_size=2, stride=2)
        self.attention = AttentionGate(out_c, out_c)
        self.conv = ConvBlock(out_c * 2, out_c)

    def forward(self, inputs, skip):
        x = self.up(inputs)
        return self.conv(torch.cat([x, self.attention(x, skip)], axis=1))


class AttentionUNet(nn.Module):
    def __init__(self, in_c=3, out_c=1):
        super().__init__()
        self.e1 = EncoderBlock(in_c, 8)
        self.e2 = EncoderBlock(8, 16)
        self.e3 = EncoderBlock(16, 32)
        self.b = ConvBlock(32, 64)
        self.d1 = DecoderBlock(64, 32)
        self.d2 = DecoderBlock(32, 16)
        self.d3 = DecoderBlock(16, 8)
        self.outputs = nn.Conv2d(8, out_c, kernel_size=1)

    def forward(self, inputs):
        s1, p1 = self.e1(inputs)
        s2, p2 = self.e2(p1)
        s3, p3 = self.e3(p2)
        b = self.b(p3)
        d = self.d1(b, s3)
        d = self.d2(d, s2)
        d = self.d3(d, s1)
        return self.outputs(d)
