"""The U-Net, which most pipelines have, as a record of fifteen fields; its torch module is in ``modules/unet.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.recipe.nets.net import Net, check_u_net

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class UNet(Net):
    """A U-Net: blocks of two 3x3 convolutions, 2x2 max pooling, concatenated skips, a 1x1 convolution as head.

    Weights start as the framework initialises them.

    Attributes:
        encoder: Output channels of the blocks before the bottleneck, first block first.
        bottleneck: Output channels of the deepest block.
        decoder: Output channels of the decoder blocks, deepest first; as many as encoder blocks.
        norm: Batch normalisation after each 3x3 convolution, or none.
        bias: Whether the 3x3 convolutions have a bias.
        up: ``transposed`` (2x2, stride 2, to the width of the decoder block) or ``bilinear`` (aligned corners, keeps
            the channels).
        hidden: Channels between the two convolutions of a decoder block: as many as the ``block`` gives out, or
            ``half`` of those that enter it. With transposed up-sampling to the width of the skip the two are equal.
        concat: Which comes first when a skip and the up-sampled map are concatenated.
        skip_from: Skips are the outputs of the encoder ``block`` s, or those of the ``pooling`` after them. With
            ``pooling`` the network's output is half as large as the image.
        pool_last: Whether the last encoder block is pooled before the bottleneck, as in any U-Net. Otherwise the first
            up-sampled map is twice as large as its skip, and ``mismatch="pad"`` cuts it to its centre.
        pool_bottleneck: Whether the bottleneck's output is pooled once more before it is decoded. The network's output
            is then half as large as the image.
        dropout: Share of bottleneck channels dropped in training, 0 for none.
        mismatch: What happens when an up-sampled map and its skip differ in size. ``error``: the network refuses the
            image. ``pad``: zeros are put around the map, or, if it is larger than the skip, it is cut to its centre.
            ``resize``: the map is resized (bilinear, aligned corners). ``resize-nearest``: the same with the nearest
            pixel. ``crop``: the skip is cut to its top left part.
        drawn: Order in which the layers draw their initial weights from the generator; with another order the same seed
            gives other weights. Every order begins with the encoder and ends with the head. ``stages``: bottleneck,
            then up-sampling and block stage by stage. ``ups-first``: bottleneck, all up-sampling layers, all blocks.
            ``blocks-first``: bottleneck, all blocks, all up-sampling layers. ``bottleneck-last``: stage by stage, then
            the bottleneck.
        output: Whether the network ends in logits or, after a sigmoid, in probabilities.

    Example:
        >>> from llmseg import zoo
        >>> net = zoo.get("gpt-o3").recipe.net
        >>> sum(p.numel() for p in net.build(in_channels=1).parameters())
        7762465
    """

    encoder: tuple[int, ...]
    bottleneck: int
    decoder: tuple[int, ...]
    norm: Literal["batch", "none"]
    bias: bool
    up: Literal["transposed", "bilinear"]
    hidden: Literal["block", "half"]
    concat: Literal["skip-first", "up-first"]
    skip_from: Literal["block", "pooling"]
    pool_last: bool
    pool_bottleneck: bool
    dropout: float
    mismatch: Literal["error", "pad", "resize", "resize-nearest", "crop"]
    drawn: Literal["stages", "ups-first", "blocks-first", "bottleneck-last"]
    output: Literal["logits", "probability"]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_u_net(self.encoder, self.decoder, self.dropout)

    def build(self, in_channels: int) -> nn.Module:
        """Build the network with freshly drawn weights.

        Args:
            in_channels: 1 for grey, 3 for RGB images.

        Returns:
            A module that maps float32 ``[B, in_channels, H, W]`` to ``[B, 1, h, w]``; h and w are H
            and W, or half of them where skips or bottleneck are pooled.
        """
        from llmseg.recipe.nets.modules.unet import UNetLayers, UNetModule

        layers = UNetLayers(
            in_channels=in_channels,
            encoder=self.encoder,
            bottleneck=self.bottleneck,
            decoder=self.decoder,
            norm=self.norm,
            bias=self.bias,
            up=self.up,
            hidden=self.hidden,
        )
        return UNetModule(
            layers,
            concat=self.concat,
            skip_from=self.skip_from,
            pool_last=self.pool_last,
            pool_bottleneck=self.pool_bottleneck,
            dropout=self.dropout,
            mismatch=self.mismatch,
            drawn=self.drawn,
            output=self.output,
        )
