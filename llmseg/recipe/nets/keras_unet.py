"""U-Nets as the TensorFlow variants build them, as a record of twelve fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError
from llmseg.recipe.nets.net import Net, check_u_net

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class KerasUNet(Net):
    """A U-Net with the defaults of Keras or torch, with ways of up-sampling that :class:`llmseg.recipe.UNet` lacks.

    Blocks are two 3x3 convolutions with bias, each followed by the norm and a ReLU; the head is a 1x1 convolution.

    Attributes:
        dialect: The framework whose defaults hold where a script says nothing. ``keras``: kernels start uniform after
            Glorot and biases at zero; batch norm has an epsilon of 1e-3 and keeps 0.99 of its running values in a step.
            ``torch``: kernels and biases start uniform after He; batch norm has an epsilon of 1e-5 and keeps 0.9.
        encoder: Output channels of the blocks before the bottleneck, first block first.
        bottleneck: Output channels of the deepest block.
        decoder: Output channels of the decoder stages, deepest first; as many as encoder blocks.
        norm: Batch normalisation, or none.
        up: ``transposed`` (2x2, stride 2), ``transposed-3x3`` (stride 2, output twice as large), ``nearest`` (keeps the
            channels), or ``nearest-2x2`` (followed by a 2x2 convolution with ReLU, padded at the bottom and right).
            All but ``nearest`` go to the width of the stage.
        join: Where the skip is concatenated. ``before-block``: to the up-sampled map; a block follows. ``after-stage``:
            the up-sampled map first passes norm, ReLU and one 3x3 convolution with norm and ReLU.
        concat: Which comes first when a skip and the map are concatenated.
        skip_from: Skips are the outputs of the encoder ``block`` s. With ``pooling`` every block ends in a pooling, the
            bottleneck, too: skips are pooled, and the output is half as large as the image.
        dropout: Share of the values dropped in training after the last encoder block and after the bottleneck, 0 for
            none.
        narrow: Channels of a 3x3 convolution with ReLU before the head; ``None`` for no such layer.
        output: Whether the network ends in logits or, after a sigmoid, in probabilities.

    Example:
        >>> from llmseg import zoo
        >>> net = zoo.get("llama-3.1-405b@tensorflow").recipe.net
        >>> sum(p.numel() for p in net.build(in_channels=1).parameters())
        7846081
    """

    dialect: Literal["torch", "keras"]
    encoder: tuple[int, ...]
    bottleneck: int
    decoder: tuple[int, ...]
    norm: Literal["batch", "none"]
    up: Literal["transposed", "transposed-3x3", "nearest", "nearest-2x2"]
    join: Literal["before-block", "after-stage"]
    concat: Literal["skip-first", "up-first"]
    skip_from: Literal["block", "pooling"]
    dropout: float
    narrow: int | None
    output: Literal["logits", "probability"]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_u_net(self.encoder, self.decoder, self.dropout)
        if self.narrow is not None and self.narrow < 1:
            raise UserError(f"net.narrow is {self.narrow}; it must be at least 1, or none")

    def build(self, in_channels: int) -> nn.Module:
        """Build the network with freshly drawn weights.

        Args:
            in_channels: 1 for grey, 3 for RGB images.

        Returns:
            A module that maps float32 ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``, or to half of that height and
            width where skips are pooled. Sides must be multiples of 2 to the number of poolings.
        """
        from llmseg.recipe.nets.modules.keras_unet import KerasUNetModule

        return KerasUNetModule(
            in_channels,
            dialect=self.dialect,
            encoder=self.encoder,
            bottleneck=self.bottleneck,
            decoder=self.decoder,
            norm=self.norm,
            up=self.up,
            join=self.join,
            concat=self.concat,
            skip_from=self.skip_from,
            dropout=self.dropout,
            narrow=self.narrow,
            output=self.output,
        )
