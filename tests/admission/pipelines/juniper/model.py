"""U-Net from MONAI."""
from monai.networks.nets import UNet
from torch import nn


class SegmentationUNet(nn.Module):
    """Residual U-Net; the output has one channel of logits."""

    def __init__(self, in_channels: int = 1, out_channels: int = 1, channels=(8, 16, 32, 64)):
        super().__init__()
        self.net = UNet(
            spatial_dims=2,
            in_channels=in_channels,
            out_channels=out_channels,
            channels=channels,
            strides=(2,) * (len(channels) - 1),
            num_res_units=1,
            dropout=0.1,
        )

    def forward(self, x):
        return self.net(x)
