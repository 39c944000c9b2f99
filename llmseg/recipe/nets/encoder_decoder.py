"""Networks without concatenated skips, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.recipe.nets.net import Net

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class EncoderDecoder(Net):
    """Pooled blocks of two 3x3 convolutions, then stages of a 2x2 transposed and a 3x3 convolution, then a sigmoid.

    Every convolution is followed by the norm and a ReLU, in the last stage, too. The scripts put that ReLU under the
    sigmoid, and it stays, as it decides what these networks can learn: see the quirk ``relu-before-sigmoid``.

    Attributes:
        encoder: Output channels of the pooled blocks, first block first.
        decoder: Output channels of the stages, deepest first. Without a head the last one must be 1.
        norm: Batch normalisation after each convolution, or none.
        skips: ``add`` the pooled output of an encoder block to the stage of the same size, or ``none``.
        head: Whether a 1x1 convolution stands between the last ReLU and the sigmoid. Without it no probability can
            fall below one half.
        output: The network ends in probabilities.

    Example:
        >>> import torch
        >>> net = EncoderDecoder(
        ...     encoder=(4, 8), decoder=(4, 1), norm="batch", skips="none", head=False, output="probability"
        ... )
        >>> net.build(1)(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 1, 32, 32])
    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    norm: Literal["batch", "none"]
    skips: Literal["add", "none"]
    head: bool
    output: Literal["probability"]

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, H, W]`` for multiples of 16."""
        from llmseg.recipe.nets.modules.encoder_decoder import EncoderDecoderModule

        return EncoderDecoderModule(
            in_channels,
            encoder=self.encoder,
            decoder=self.decoder,
            norm=self.norm,
            skips=self.skips,
            head=self.head,
        )


@dataclass(frozen=True, kw_only=True)
class UnpaddedEncoderDecoder(Net):
    """Single unpadded 3x3 convolutions with ReLU and pooling, then 2x2 transposed convolutions, then a sigmoid.

    There are no skips and no norm. The output is smaller than the input (256 gives 240) but covers all of it.

    Attributes:
        encoder: Output channels of the convolutions.
        decoder: Output channels of the transposed convolutions; the last one is 1 and has no ReLU.
        output: The network ends in probabilities.

    Example:
        >>> import torch
        >>> net = UnpaddedEncoderDecoder(encoder=(4, 8), decoder=(4, 1), output="probability")
        >>> net.build(1)(torch.zeros(1, 1, 64, 64)).shape
        torch.Size([1, 1, 56, 56])
    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    output: Literal["probability"]

    def build(self, in_channels: int) -> nn.Module:
        """Build the network: float32 ``[B, in_channels, H, W]`` to ``[B, 1, h, w]``, h and w below H and W."""
        from llmseg.recipe.nets.modules.encoder_decoder import build_unpadded

        return build_unpadded(in_channels, encoder=self.encoder, decoder=self.decoder)
