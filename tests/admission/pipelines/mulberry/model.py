import torch
import torch.nn as nn


class UNet(nn.Module):
    def __init__(self, channels=(16, 32, 48)):
        super().__init__()
        self.encoders = nn.ModuleList()
        self.decoders = nn.ModuleList()
        self.upsamplers = nn.ModuleList()
        previous = 1
        for c in channels:
            self.encoders.append(self._block(previous, c))
            previous = c
        for c in channels[-2::-1]:
            self.upsamplers.append(nn.ConvTranspose2d(previous, c, 2, 2))
            self.decoders.append(self._block(2 * c, c))
            previous = c
        self.classifier = nn.Conv2d(previous, 1, 1)

    @staticmethod
    def _block(i, o):
        return nn.Sequential(nn.Conv2d(i, o, 3, padding="same"), nn.BatchNorm2d(o), nn.ELU(),
                             nn.Conv2d(o, o, 3, padding="same"), nn.BatchNorm2d(o), nn.ELU())

    def forward(self, x):
        features = []
        for k, encoder in enumerate(self.encoders):
            x = encoder(x if k == 0 else nn.functional.max_pool2d(x, 2))
            features.append(x)
        for up, decoder, skip in zip(self.upsamplers, self.decoders, features[-2::-1]):
            x = decoder(torch.cat([up(x), skip], dim=1))
        return torch.sigmoid(self.classifier(x))
