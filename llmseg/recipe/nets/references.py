"""The networks of the references, as records: their modules are built by MONAI, timm and nnU-Net's package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError
from llmseg.recipe.nets.net import Net

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class BasicUNet(Net):
    """MONAI's U-Net of double convolutions (``monai.networks.nets.BasicUNet``) with transposed convolutions.

    Attributes:
        features: Channels of the five encoder blocks, first block first, then of the last decoder block.
        norm: Normalisation after each convolution.
        dropout: Probability that dropout zeroes a value after each convolution.
        output: The network ends in logits.

    Raises:
        UserError: There are not six features.

    Example:
        >>> import torch
        >>> net = BasicUNet(features=(8, 8, 16, 16, 32, 8), norm="instance", dropout=0.0, output="logits")
        >>> net.build(1)(torch.zeros(1, 1, 64, 64)).shape
        torch.Size([1, 1, 64, 64])
    """

    features: tuple[int, ...]
    norm: Literal["instance", "batch"]
    dropout: float
    output: Literal["logits"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.features) != 6:
            raise UserError(f"net.features has {len(self.features)} numbers; BasicUNet takes 6, for example {_BASIC}")

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``, sides from 32."""
        from llmseg.recipe.nets.modules.references import build_basic_unet

        return build_basic_unet(in_channels, features=self.features, norm=self.norm, dropout=self.dropout)


@dataclass(frozen=True, kw_only=True)
class DynUNet(Net):
    """MONAI's network after nnU-Net (``monai.networks.nets.DynUNet``), without deep supervision.

    Attributes:
        filters: Channels of the stages, the first at the image's size and each further one at half of that above.
        norm: Normalisation after each convolution.
        residual: Whether each stage adds its input to what its convolutions give (a residual connection).
        output: The network ends in logits.

    Raises:
        UserError: There are fewer than three stages.

    Example:
        >>> import torch
        >>> net = DynUNet(filters=(8, 16, 32), norm="instance", residual=False, output="logits")
        >>> net.build(1)(torch.zeros(1, 1, 64, 64)).shape
        torch.Size([1, 1, 64, 64])
    """

    filters: tuple[int, ...]
    norm: Literal["instance", "batch"]
    residual: bool
    output: Literal["logits"]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_stages("filters", self.filters, 3)

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``."""
        from llmseg.recipe.nets.modules.references import build_dyn_unet

        return build_dyn_unet(in_channels, filters=self.filters, norm=self.norm, residual=self.residual)


@dataclass(frozen=True, kw_only=True)
class PlainConvUNet(Net):
    """The network of nnU-Net v2 (``PlainConvUNet`` of ``dynamic_network_architectures``), without deep supervision.

    Convolutions of stride 2 instead of pooling, instance normalisation, leaky ReLU, and nnU-Net's initial weights.

    Attributes:
        features: Channels of the stages, the first at the image's size and each further one at half of that above.
        convolutions: Convolutions per stage, in encoder and decoder.
        output: The network ends in logits.

    Raises:
        UserError: There are fewer than two stages, or no convolutions.

    Example:
        >>> import torch
        >>> net = PlainConvUNet(features=(8, 16, 32), convolutions=2, output="logits")
        >>> net.build(1)(torch.zeros(1, 1, 64, 64)).shape
        torch.Size([1, 1, 64, 64])
    """

    features: tuple[int, ...]
    convolutions: int
    output: Literal["logits"]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_stages("features", self.features, 2)
        if self.convolutions < 1:
            raise UserError(f"net.convolutions is {self.convolutions}; it must be at least 1")

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``.

        Raises:
            UserError: The package is not installed.
        """
        from llmseg.recipe.nets.modules.references import build_plain_conv_unet

        return build_plain_conv_unet(in_channels, features=self.features, convolutions=self.convolutions)


@dataclass(frozen=True, kw_only=True)
class TimmUNet(Net):
    """A U-Net decoder on an encoder of timm (``timm.create_model(..., features_only=True)``).

    Each stage enlarges the map twofold, joins the encoder's map of that size if there is one, and convolves twice.

    Attributes:
        encoder: Name of a model in timm that gives maps at five sizes, each half of the one before.
        pretrained: Whether a training starts from the encoder weights that timm publishes, which are downloaded.
        decoder: Channels of the five stages, deepest first.
        output: The network ends in logits.

    Raises:
        UserError: There are not five stages.

    Example:
        >>> from llmseg import zoo
        >>> zoo.get("timm-resnet34-unet").recipe.net.encoder
        'resnet34'
    """

    encoder: str
    pretrained: bool
    decoder: tuple[int, ...]
    output: Literal["logits"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.decoder) != 5:
            raise UserError(f"net.decoder has {len(self.decoder)} numbers; it takes 5, for example 256,128,64,32,16")

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``; its weights are random.

        Raises:
            UserError: timm is not installed or has no such encoder.
        """
        from llmseg.recipe.nets.modules.references import build_timm_unet

        return build_timm_unet(in_channels, encoder=self.encoder, decoder=self.decoder, pretrained=False)

    def start(self, in_channels: int) -> nn.Module:
        """Build the network with the weights a training starts from.

        Raises:
            UserError: As :meth:`build`, or the published weights cannot be downloaded.
        """
        from llmseg.recipe.nets.modules.references import build_timm_unet

        return build_timm_unet(in_channels, encoder=self.encoder, decoder=self.decoder, pretrained=self.pretrained)


_BASIC = "32,32,64,128,256,32"


def _check_stages(name: str, channels: tuple[int, ...], least: int) -> None:
    if len(channels) < least:
        raise UserError(f"net.{name} has {len(channels)} numbers; it takes one per stage, at least {least}")
