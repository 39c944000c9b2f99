"""The network and its training logic in one module."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvNormAct(nn.Module):
    def __init__(self, in_ch, out_ch, dilation=1):
        super().__init__()
        self.conv = nn.Conv2d(in_ch, out_ch, 3, padding=dilation, dilation=dilation)
        self.norm = nn.GroupNorm(1, out_ch)

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)), 0.2)


class SegmentationModule(nn.Module):
    """U-Net with a dilated bottleneck."""

    def __init__(self, ch=12, lr=1e-3, epochs=10):
        super().__init__()
        self.lr = lr
        self.epochs = epochs
        self.enc1 = nn.Sequential(ConvNormAct(1, ch), ConvNormAct(ch, ch))
        self.enc2 = nn.Sequential(ConvNormAct(ch, 2 * ch), ConvNormAct(2 * ch, 2 * ch))
        self.enc3 = nn.Sequential(ConvNormAct(2 * ch, 3 * ch), ConvNormAct(3 * ch, 3 * ch))
        self.mid = nn.ModuleList([ConvNormAct(3 * ch, 3 * ch, d) for d in (1, 2, 4)])
        self.dec2 = nn.Sequential(ConvNormAct(5 * ch, 2 * ch), ConvNormAct(2 * ch, 2 * ch))
        self.dec1 = nn.Sequential(ConvNormAct(3 * ch, ch), ConvNormAct(ch, ch))
        self.head = nn.Conv2d(ch, 1, 1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(F.max_pool2d(e1, 2))
        e3 = self.enc3(F.max_pool2d(e2, 2))
        m = e3
        for layer in self.mid:
            m = m + layer(m)
        d2 = self.dec2(torch.cat([F.interpolate(m, scale_factor=2), e2], dim=1))
        d1 = self.dec1(torch.cat([F.interpolate(d2, scale_factor=2), e1], dim=1))
        return self.head(d1)

    @staticmethod
    def loss(logits, y):
        """Jaccard loss plus BCE."""
        p = torch.sigmoid(logits)
        inter = torch.sum(p * y, dim=(1, 2, 3))
        union = torch.sum(p + y - p * y, dim=(1, 2, 3))
        jaccard = torch.mean((inter + 1.0) / (union + 1.0))
        return F.binary_cross_entropy_with_logits(logits, y) + 1.0 - jaccard

    @staticmethod
    def dice(logits, y):
        p = (torch.sigmoid(logits) > 0.5).float()
        inter = torch.sum(p * y, dim=(1, 2, 3))
        return torch.mean((2 * inter + 1e-6) / (torch.sum(p + y, dim=(1, 2, 3)) + 1e-6)).item()

    def training_step(self, batch):
        x, y = batch
        return self.loss(self(x), y)

    def validation_step(self, batch):
        x, y = batch
        logits = self(x)
        return self.loss(logits, y).item(), self.dice(logits, y)

    def test_step(self, batch):
        x, y = batch
        return self.dice(self(x), y)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=1e-2)
        scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=self.epochs, power=0.9)
        return optimizer, scheduler
