"""Layers that several networks share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def double_conv(inside: int, hidden: int, out: int, *, norm: bool, bias: bool) -> nn.Sequential:
    """Return two 3x3 convolutions, each followed by a batch normalisation (if ``norm``) and a ReLU.

    Args:
        inside: Channels that enter.
        hidden: Channels between the two convolutions.
        out: Channels that leave.
        norm: Whether each convolution is followed by a batch normalisation.
        bias: Whether the convolutions have a bias.
    """
    layers: list[nn.Module] = []
    for source, target in ((inside, hidden), (hidden, out)):
        layers.append(nn.Conv2d(source, target, kernel_size=3, padding=1, bias=bias))
        if norm:
            layers.append(nn.BatchNorm2d(target))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def up_conv(inside: int, out: int, *, norm: bool) -> nn.Sequential:
    """Return a 2x2 transposed convolution of stride 2 and a 3x3 convolution, each with norm (if asked for) and ReLU."""
    layers: list[nn.Module] = []
    for conv in (
        nn.ConvTranspose2d(inside, out, kernel_size=2, stride=2),
        nn.Conv2d(out, out, kernel_size=3, padding=1),
    ):
        layers.append(conv)
        if norm:
            layers.append(nn.BatchNorm2d(out))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def halve(x: Tensor) -> Tensor:
    """Halve height and width by 2x2 max pooling."""
    return functional.max_pool2d(x, kernel_size=2)


class Probability(nn.Module):
    """A sigmoid that computes in float32 whatever comes in.

    Under mixed precision the logits come in half precision, which rounds probabilities near 0 and 1 so coarsely that
    the logarithm of a cross-entropy becomes infinite.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map logits of any shape to probabilities."""
        return x.float().sigmoid()
