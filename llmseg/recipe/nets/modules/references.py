"""The torch modules of the records in :mod:`llmseg.recipe.nets.references`, built by MONAI, nnU-Net's package, timm."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from types import ModuleType
from typing import Any, Literal

import torch
from monai.networks import nets as monai
from torch import Tensor, nn
from torch.nn import functional

from llmseg.errors import UserError, nearest
from llmseg.recipe.nets.modules.blocks import double_conv


def build_basic_unet(
    in_channels: int, *, features: tuple[int, ...], norm: Literal["instance", "batch"], dropout: float
) -> nn.Module:
    """Build what :class:`llmseg.recipe.nets.references.BasicUNet` describes."""
    net = monai.BasicUNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=1,
        features=features,
        norm=_norm(norm),
        dropout=dropout,
        upsample="deconv",
    )
    # MONAI pads maps with odd sides. Below 32 the deepest map has one pixel, which instance norm refuses.
    return _with_size_check(net, multiple=1, least=32)


def build_dyn_unet(
    in_channels: int, *, filters: tuple[int, ...], norm: Literal["instance", "batch"], residual: bool
) -> nn.Module:
    """Build what :class:`llmseg.recipe.nets.references.DynUNet` describes."""
    stages = len(filters)
    net = monai.DynUNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=1,
        kernel_size=[3] * stages,
        strides=_strides(stages),
        upsample_kernel_size=[2] * (stages - 1),
        filters=filters,
        norm_name=_norm(norm),
        res_block=residual,
    )
    # MONAI's nested skip layers hold these layers a second time. A tensor with two names would be stored twice, and it
    # would enter the moving average of the weights twice.
    del net.input_block, net.downsamples, net.bottleneck, net.upsamples
    # Moved to the end: readers of weights take the channels of the images from the first convolution they meet.
    net.output_block = net._modules.pop("output_block")
    return _with_size_check(net, multiple=2 ** (stages - 1), least=2**stages)


def build_plain_conv_unet(in_channels: int, *, features: tuple[int, ...], convolutions: int) -> nn.Module:
    """Build what :class:`llmseg.recipe.nets.references.PlainConvUNet` describes."""
    architectures = _import_package("dynamic_network_architectures.architectures.unet", "dynamic-network-architectures")
    stages = len(features)
    # Kernels, strides, norm and nonlinearity as nnU-Net v2 plans them for 2D.
    net: nn.Module = architectures.PlainConvUNet(
        input_channels=in_channels,
        n_stages=stages,
        features_per_stage=features,
        conv_op=nn.Conv2d,
        kernel_sizes=3,
        strides=_strides(stages),
        n_conv_per_stage=convolutions,
        num_classes=1,
        n_conv_per_stage_decoder=convolutions,
        conv_bias=True,
        norm_op=nn.InstanceNorm2d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        deep_supervision=False,
    )
    net.apply(net.initialize)  # type: ignore[arg-type]
    _drop_second_names(net)
    return _with_size_check(net, multiple=2 ** (stages - 1), least=2**stages)


def build_timm_unet(in_channels: int, *, encoder: str, decoder: tuple[int, ...], pretrained: bool) -> nn.Module:
    """Build what :class:`llmseg.recipe.nets.references.TimmUNet` describes."""
    return _with_size_check(TimmUNetModule(_encoder(encoder, in_channels, pretrained), decoder), 32, 64)


class TimmUNetModule(nn.Module):
    """An encoder that gives maps at five sizes, and a decoder that concatenates them, deepest first."""

    def __init__(self, encoder: Any, decoder: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = encoder
        *skips, deepest = encoder.feature_info.channels()
        # Five stages meet four skips: the encoder has no map of the image's own size.
        joined = (*reversed(skips), 0)
        self.decoder = nn.ModuleList(
            double_conv(below + skip, width, width, norm=True, bias=False)
            for (below, width), skip in zip(pairwise((deepest, *decoder)), joined, strict=True)
        )
        self.head = nn.Conv2d(decoder[-1], 1, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, H, W]`` to ``[B, 1, H, W]``."""
        *skips, x = self.encoder(x)
        for block in self.decoder:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat((x, skips.pop()), dim=1) if skips else x)
        output: Tensor = self.head(x)
        return output


def _encoder(name: str, in_channels: int, pretrained: bool) -> nn.Module:
    timm = _import_package("timm", "timm")
    if not timm.is_model(name):
        raise UserError(
            f"timm has no encoder '{name}'{nearest(name, timm.list_models())}; timm.list_models() lists them"
        )
    options = {"features_only": True, "in_chans": in_channels}
    try:
        with _silence_retries():
            encoder: Any = timm.create_model(name, pretrained=pretrained, **options)
    except Exception as error:
        if not pretrained:
            raise
        # Whatever a download may raise: timm passes on the errors of several libraries.
        raise UserError(
            f"no published weights of '{name}' ({type(error).__name__}); go where they can be downloaded or "
            "were before, or train from scratch with --set net.pretrained=false"
        ) from error
    if encoder.feature_info.reduction() != [2, 4, 8, 16, 32]:
        raise UserError(
            f"the encoder '{name}' reduces its maps by {encoder.feature_info.reduction()}; a decoder here "
            "needs 2, 4, 8, 16, 32, as resnet34 has"
        )
    return encoder  # type: ignore[no-any-return]


@contextmanager
def _silence_retries() -> Iterator[None]:
    """Silence the library that downloads weights while it retries; a failure is told in one line afterwards."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _norm(name: str) -> tuple[str, dict[str, Any]]:
    return name, {"affine": True}


def _strides(stages: int) -> list[int]:
    return [1] + [2] * (stages - 1)


def _drop_second_names(net: Any) -> None:
    """Remove second names of the same layers, and the heads that only deep supervision would train.

    A tensor with two names would be stored twice and enter the moving average twice. A head without a loss would be
    stored although it was never trained.
    """
    net.decoder.seg_layers = net.decoder.seg_layers[-1:]
    del net.decoder.encoder
    for block in net.modules():
        if hasattr(block, "all_modules"):
            del block.conv, block.norm, block.nonlin


def _import_package(module: str, package: str) -> ModuleType:
    try:
        with warnings.catch_warnings():
            # timm still imports a name that torch calls old; a user can do nothing about it.
            warnings.simplefilter("ignore", FutureWarning)
            return importlib.import_module(module)
    except ImportError as error:
        raise UserError(f"this network needs the package {package}: pip install {package}") from error


def _with_size_check(net: nn.Module, multiple: int, least: int) -> nn.Module:
    """Make a network refuse images whose sides it cannot halve and double again, with a message that says so."""
    net.register_forward_pre_hook(partial(_check_sides, multiple, least))
    return net


def _check_sides(multiple: int, least: int, _: nn.Module, inputs: tuple[Tensor]) -> None:
    sides = inputs[0].shape[-2:]
    if min(sides) < least or any(side % multiple for side in sides):
        multiples = f" that are multiples of {multiple}" if multiple > 1 else ""
        raise UserError(
            f"images of {sides[0]}x{sides[1]}: this network needs sides of at least {least}{multiples}; choose "
            "images.size accordingly, for example 256,256"
        )
