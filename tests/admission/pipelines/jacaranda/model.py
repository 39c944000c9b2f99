import torch.nn as nn


class EncoderBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(inplace=True),
            nn.Conv2d(cout, cout, 3, padding=1, bias=False),
            nn.BatchNorm2d(cout),
        )
        self.short = nn.Conv2d(cin, cout, 1, stride=stride, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + self.short(x))


class DecoderBlock(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(cin, cin // 2, 1), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(cin // 2, cin // 2, 2, stride=2), nn.ReLU(inplace=True),
            nn.Conv2d(cin // 2, cout, 1),
        )

    def forward(self, x):
        return self.body(x)


class LinkNet(nn.Module):
    """Skip connections are added, not concatenated."""

    def __init__(self, channels=1, base=16):
        super().__init__()
        self.e0 = EncoderBlock(channels, base, 1)
        self.e1 = EncoderBlock(base, base * 2, 2)
        self.e2 = EncoderBlock(base * 2, base * 4, 2)
        self.d2 = DecoderBlock(base * 4, base * 2)
        self.d1 = DecoderBlock(base * 2, base)
        self.head = nn.Sequential(nn.Conv2d(base, base, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(base, 1, 1))

    def forward(self, x):
        a = self.e0(x)
        b = self.e1(a)
        c = self.e2(b)
        return self.head(self.d1(self.d2(c) + b) + a)
