"""The ten pipelines that GPT o4-mini-high wrote for the same prompt; each states what differs from most of them."""

from __future__ import annotations

import functools
from dataclasses import replace

from llmseg.zoo.card import Disagreement
from llmseg.zoo.common import (
    BILINEAR_UNET,
    DICE_MEAN_OF_BATCH,
    DICE_OVER_BATCH,
    DICE_PER_CASE,
    SPLIT_80_10_10,
    STANDARD_UNET,
    down_up_names,
    original_names,
)
from llmseg.zoo.disagreements import against_code
from llmseg.zoo.gpt_o4_mini_high import PIPELINE as BASE
from llmseg.zoo.reruns.common import USUAL_RERUN, rerun

_rerun = functools.partial(rerun, BASE, "run_to_run variability test/GPT o4 high")

_BY_TRAIN_SIZE = replace(SPLIT_80_10_10, first_size=0.8, sizes_are="train_size")
_TRANSPOSED = replace(STANDARD_UNET, concat="skip-first", mismatch="resize-nearest", drawn="bottleneck-last")
_BILINEAR = replace(BILINEAR_UNET, bias=False)
_BELOW_ONLY = replace(DICE_MEAN_OF_BATCH, reads="sigmoid", smoothed="below")
_USUAL = USUAL_RERUN.change("net", _BILINEAR).change("fit.epochs", 20).change("fit.epoch_loss", "cases")


def _decoder(source: str) -> Disagreement:
    return against_code(
        "net.decoder",
        published="decoder channels 512, 256, 128, 64",
        code="blocks give 256, 128, 64, 64",
        consequence="widths of the table cannot be rebuilt",
        source=source,
    )


def _head(source: str) -> Disagreement:
    return against_code(
        "net.output",
        published="a 1x1 convolution",
        code="a sigmoid follows it",
        consequence="read from the table, the network would end in logits",
        source=source,
    )


def _unpooled(source: str) -> Disagreement:
    return against_code(
        "net.pool_last",
        published="a bottleneck after the encoder",
        code="nothing is pooled before it",
        consequence="the deepest features lie beside the skip they join",
        source=source,
    )


def _stages(source: str) -> Disagreement:
    return against_code(
        "card.published.encoder_stages",
        published="4 encoder stages",
        code="the encoder that the table gives 5 stages in reruns 3, 5, 6 and 7",
        consequence="stages are not counted alike",
        source=source,
    )


def _errors(run: int, published: str, failures: int) -> Disagreement:
    return against_code(
        "card.origin",
        published=published,
        code=f"{failures} failing executions in the conversation",
        consequence="errors are not counted alike",
        source=f"GPT o4 high-{run} chat.json",
    )


RUN_01 = _rerun(
    1,
    recipe=_USUAL.change("images.mask_resize", "pillow-nearest")
    .change("images.mask_threshold", None)
    .change("net", replace(_BILINEAR, bottleneck=1024, decoder=(512, 256, 128, 64), pool_last=False)),
    original_names=original_names(
        encoder=" ".join(["inc.double_conv", *(f"downs.{i}.maxpool_conv.1.double_conv" for i in (0, 1, 2))]),
        bottleneck="bottleneck.double_conv",
        decoder="ups.0.conv.double_conv ups.1.conv.double_conv ups.2.conv.double_conv ups.3.conv.double_conv",
        head="outc",
    ),
    parameters=31_383_681,
    failures=3,
    summary="Bilinear U-Net whose last encoder block is not pooled, so a map is cut to its centre; masks stay grey",
    disagreements=(_errors(1, "1 error in the table, 2 in the list", 3), _unpooled("model.py:76")),
)

RUN_02 = _rerun(
    2,
    recipe=_USUAL.change("images.image_resize", "pillow-bicubic")
    .change("images.mask_resize", "pillow-bicubic")
    .change("split", _BY_TRAIN_SIZE)
    .change("net", replace(_TRANSPOSED, bias=False, output="logits"))
    .change("loss.reads", "logits")
    .change("fit.rate", 1e-3)
    .change("fit.epoch_loss", "batches")
    .change("score", replace(DICE_PER_CASE, reads="sigmoid"))
    .change("test", replace(DICE_PER_CASE, reads="sigmoid")),
    original_names=original_names(
        encoder="downs.0.double_conv downs.1.double_conv downs.2.double_conv downs.3.double_conv",
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final",
    ),
    parameters=31_036_481,
    failures=0,
    summary="Standard U-Net on logits; bicubic resizing of image and mask",
)

RUN_03 = _rerun(
    3,
    recipe=_USUAL.change("images.mean", 0.5)
    .change("images.std", 0.5)
    .change("images.colour_when", "after-resize")
    .change("fit.epochs", 50),
    original_names=down_up_names("double_conv", "down", "outc.conv"),
    parameters=13_390_209,
    failures=0,
    summary="Bilinear U-Net of 13 M parameters; images in -1..1, made grey after the resize",
    disagreements=(
        _decoder("model.py:87"),
        _head("model.py:104"),
        against_code(
            "card.published.encoder_stages",
            published="the pooled level of 512 channels is a fifth encoder stage",
            code="the encoder of reruns 9 and 10, which have four in the table",
            consequence="stages are not counted alike",
            source="model.py:86",
        ),
    ),
)

RUN_04 = _rerun(
    4,
    recipe=_USUAL.change("images.mask_resize", "pillow-nearest")
    .change(
        "net",
        replace(
            _BILINEAR,
            encoder=(64, 128, 256, 512, 1024),
            bottleneck=2048,
            decoder=(1024, 512, 256, 128, 64),
            pool_last=False,
            output="logits",
        ),
    )
    .change("loss.reads", "logits")
    .change("fit.epochs", 25)
    .change("fit.rate", 1e-3)
    .change("score", _BELOW_ONLY)
    .change("test", _BELOW_ONLY),
    original_names=original_names(
        encoder="inc.net down1.net.1.net down2.net.1.net down3.net.1.net down4.net.1.net",
        bottleneck="bottleneck.net",
        decoder="up4.conv.net up3.conv.net up2.conv.net up1.conv.net up0.conv.net",
        head="final",
    ),
    parameters=125_767_809,
    failures=7,
    summary="The largest rerun: its last encoder block is not pooled; Dice is smoothed below the line only",
    disagreements=(_errors(4, "2 errors in the table, 4 in the list", 7), _unpooled("model.py:77")),
)

RUN_05 = _rerun(
    5,
    recipe=_USUAL.change("images.mask_resize", "pillow-nearest")
    .change("images.mask_threshold", 128 / 255)
    .change("images.threshold_when", "before-resize")
    .change("images.mask_type", "int64")
    .change("fit.rate", 1e-3),
    original_names=down_up_names("double_conv", "maxpool_conv", "outc"),
    parameters=13_390_209,
    failures=2,
    summary="Bilinear U-Net of 13 M parameters; masks are binarised above 128 before the resize",
    disagreements=(_head("model.py:89"),),
)

RUN_06 = _rerun(
    6,
    recipe=_USUAL.change("net.bias", True).change("fit.epochs", 50).change("fit.rate", 1e-3),
    original_names=down_up_names("double_conv", "down", "outc"),
    parameters=13_394_177,
    failures=0,
    summary="Bilinear U-Net whose convolutions keep their bias",
    disagreements=(_decoder("model.py:63"),),
)

RUN_07 = _rerun(
    7,
    recipe=_USUAL.change("images.mask_threshold", None)
    .change("net.output", "logits")
    .change("loss.reads", "logits")
    .change("fit.epochs", 50)
    .change("score", replace(DICE_MEAN_OF_BATCH, reads="sigmoid"))
    .change("test", replace(DICE_MEAN_OF_BATCH, reads="sigmoid")),
    original_names=down_up_names("net", "net", "outc.conv"),
    parameters=13_390_209,
    failures=1,
    summary="Bilinear U-Net on logits; masks stay grey",
    disagreements=(_errors(7, "0 errors in the table, 1 in the list", 1),),
)

RUN_08 = _rerun(
    8,
    recipe=_USUAL.change("split", _BY_TRAIN_SIZE)
    .change("net", _TRANSPOSED)
    .change("fit.rate", 1e-3)
    .change("score", DICE_OVER_BATCH)
    .change("test", DICE_OVER_BATCH),
    original_names=original_names(
        encoder="downs.0.net downs.1.net downs.2.net downs.3.net",
        bottleneck="bottleneck.net",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.net ups.3.net ups.5.net ups.7.net",
        head="final_conv",
    ),
    parameters=31_042_369,
    failures=0,
    summary="Standard U-Net; Dice over the pixels of a batch",
    disagreements=(_head("model.py:66"),),
)

RUN_09 = _rerun(
    9,
    recipe=_USUAL.change("images.mask_resize", "pillow-nearest")
    .change("split", _BY_TRAIN_SIZE)
    .change("fit.epochs", 50)
    .change("fit.epoch_loss", "batches")
    .change("score", DICE_MEAN_OF_BATCH)
    .change("test", DICE_MEAN_OF_BATCH),
    original_names=down_up_names("double_conv", "pool_conv", "outc.conv"),
    parameters=13_390_209,
    failures=1,
    summary="Bilinear U-Net of 13 M parameters; validation and test list means of batches",
    disagreements=(
        _stages("model.py:83"),
        _decoder("model.py:84"),
        _head("model.py:101"),
        against_code(
            "fit.epochs",
            published="50 epochs",
            code="50 epochs, where the conversation has 20",
            consequence="the published state is not that of the conversation",
            source="main.py:147",
        ),
    ),
)

RUN_10 = _rerun(
    10,
    recipe=_USUAL.change("images.mean", 0.5)
    .change("images.std", 0.5)
    .change("net.output", "logits")
    .change("loss.reads", "logits")
    .change("fit.epochs", 50)
    .change("score", replace(DICE_OVER_BATCH, reads="sigmoid"))
    .change("test", replace(DICE_OVER_BATCH, reads="sigmoid")),
    original_names=down_up_names("double_conv", "maxpool_conv", "outc.conv"),
    parameters=13_390_209,
    failures=0,
    summary="Bilinear U-Net on logits; images in -1..1; Dice over the pixels of a batch",
    disagreements=(_decoder("model.py:87"), _stages("model.py:86")),
)

PIPELINES = (RUN_01, RUN_02, RUN_03, RUN_04, RUN_05, RUN_06, RUN_07, RUN_08, RUN_09, RUN_10)
