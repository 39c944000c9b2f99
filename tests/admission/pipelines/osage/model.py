import torch
import torch.nn as nn


class Down(nn.Module):
    def __init__(self, cin, cout, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ELU(),
            nn.Dropout2d(dropout),
            nn.Conv2d(cout, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ELU(),
        )

    def forward(self, x):
        return self.layers(x)


class Up(nn.Module):
    def __init__(self, cin, skip, cout):
        super().__init__()
        self.up = nn.ConvTranspose2d(cin, cout, 4, stride=2, padding=1)
        self.layers = Down(cout + skip, cout)

    def forward(self, x, skip):
        return self.layers(torch.cat([self.up(x), skip], 1))


class UNet(nn.Module):
    def __init__(self, channels=3, f=12):
        super().__init__()
        self.d1 = Down(channels, f)
        self.d2 = Down(f, 2 * f, 0.1)
        self.d3 = Down(2 * f, 4 * f, 0.2)
        self.pool = nn.MaxPool2d(2)
        self.u2 = Up(4 * f, 2 * f, 2 * f)
        self.u1 = Up(2 * f, f, f)
        self.out = nn.Conv2d(f, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(self.pool(a))
        c = self.d3(self.pool(b))
        return self.out(self.u1(self.u2(c, b), a))
