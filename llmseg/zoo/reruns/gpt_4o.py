"""The ten pipelines that GPT-4o wrote for the same prompt; each states what differs from most of them."""

from __future__ import annotations

import functools
from dataclasses import replace

from llmseg.recipe.fit import OwnSeed
from llmseg.zoo.common import DICE_MEAN_OF_BATCH, DICE_OVER_BATCH, DICE_PER_CASE, original_names
from llmseg.zoo.disagreements import against_code
from llmseg.zoo.gpt_4o import PIPELINE as BASE
from llmseg.zoo.reruns.common import USUAL_RERUN, rerun

_rerun = functools.partial(rerun, BASE, "run_to_run variability test/GPT 4o")
_MISNAMED_BLOCK = against_code(
    "card.published.block",
    published="block and bottleneck are called CBR",
    code="the function of that name builds a double block",
    consequence="the network is that of the other reruns",
    source="model.py:10",
)

RUN_01 = _rerun(
    1,
    recipe=USUAL_RERUN.change("images.image_resize", "pillow-bicubic")
    .change("images.mask_resize", "pillow-bicubic")
    .change("net.norm", "none")
    .change("fit.epochs", 30)
    .change("fit.test_batch_size", 1)
    .change("score", replace(DICE_MEAN_OF_BATCH, smooth=1e-7))
    .change("test", replace(DICE_PER_CASE, smooth=1e-7)),
    original_names=original_names(
        encoder="down1 down2 down3 down4",
        bottleneck="bottleneck",
        up="up4 up3 up2 up1",
        decoder="conv4 conv3 conv2 conv1",
        head="final",
    ),
    parameters=31_030_593,
    failures=0,
    summary="Standard U-Net without batch norm; bicubic resizing of image and mask",
)

RUN_02 = _rerun(
    2,
    recipe=USUAL_RERUN.change("split.shuffled", True)
    .change("net.concat", "skip-first")
    .change("net.mismatch", "resize-nearest")
    .change("fit.rate", 1e-3)
    .change("score", DICE_MEAN_OF_BATCH)
    .change("test", DICE_MEAN_OF_BATCH),
    original_names=original_names(
        encoder="downs.0.double_conv downs.2.double_conv downs.4.double_conv downs.6.double_conv",
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final_conv",
    ),
    parameters=31_042_369,
    failures=1,
    summary="Standard U-Net; cases are shuffled without a seed before the seeded split",
)

RUN_03 = _rerun(
    3,
    recipe=USUAL_RERUN.change("images.mask_resize", "pillow-nearest")
    .change("fit.epochs", 20)
    .change("fit.test_batch_size", 1),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="up4 up3 up2 up1",
        decoder="dec4 dec3 dec2 dec1",
        head="final",
    ),
    parameters=31_042_369,
    failures=0,
    summary="Standard U-Net; validation and test list a Dice per image",
    disagreements=(_MISNAMED_BLOCK,),
)

RUN_04 = _rerun(
    4,
    recipe=USUAL_RERUN.change("fit.epochs", 20)
    .change("fit.test_batch_size", 1)
    .change("score", replace(DICE_MEAN_OF_BATCH, smooth=1e-8))
    .change("test", replace(DICE_PER_CASE, smooth=1e-8)),
    original_names=original_names(
        encoder="down1.conv down2.conv down3.conv down4.conv",
        bottleneck="middle.conv",
        up="up4 up3 up2 up1",
        decoder="dec4.conv dec3.conv dec2.conv dec1.conv",
        head="final",
    ),
    parameters=31_042_369,
    failures=1,
    summary="Standard U-Net with the smallest smoothing constant of the reruns",
)

RUN_05 = _rerun(
    5,
    recipe=USUAL_RERUN.change("split.shuffled", True)
    .change("fit.epochs", 20)
    .change("fit.epoch_loss", "cases")
    .change("fit.test_batch_size", 1)
    .change("score", replace(DICE_MEAN_OF_BATCH, smooth=1e-7))
    .change("test", replace(DICE_PER_CASE, smooth=1e-7)),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="dec4 dec3 dec2 dec1",
        head="conv_final",
    ),
    parameters=31_042_369,
    failures=1,
    summary="Standard U-Net; the file list is shuffled without a seed before the seeded split",
    disagreements=(_MISNAMED_BLOCK,),
)

RUN_06 = _rerun(
    6,
    recipe=USUAL_RERUN.change("net.drawn", "ups-first")
    .change("fit.epoch_loss", "cases")
    .change("fit.own_seed", OwnSeed(seed=42, summary_batch=1, spare_orders=0))
    .change("score", DICE_OVER_BATCH),
    original_names=original_names(
        encoder="encoder.0.net encoder.1.net encoder.2.net encoder.3.net",
        bottleneck="bottleneck.net",
        up="upconvs.0 upconvs.1 upconvs.2 upconvs.3",
        decoder="decoder.0.net decoder.1.net decoder.2.net decoder.3.net",
        head="final_conv",
    ),
    parameters=31_042_369,
    failures=1,
    summary="Standard U-Net; the only rerun that seeds weights and case order",
)

RUN_07 = _rerun(
    7,
    recipe=USUAL_RERUN.change("fit.test_batch_size", 1),
    original_names=original_names(
        encoder="enc1.block enc2.block enc3.block enc4.block",
        bottleneck="bottleneck.block",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="dec4.block dec3.block dec2.block dec1.block",
        head="final",
    ),
    parameters=31_042_369,
    failures=0,
    summary="Standard U-Net; validation and test list a Dice per image",
)

RUN_08 = _rerun(
    8,
    recipe=USUAL_RERUN.change("fit.epochs", 20)
    .change("fit.epoch_loss", "cases")
    .change("score", DICE_MEAN_OF_BATCH)
    .change("test", DICE_MEAN_OF_BATCH),
    original_names=original_names(
        encoder="encoder1.block encoder2.block encoder3.block encoder4.block",
        bottleneck="bottleneck.block",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="decoder4.block decoder3.block decoder2.block decoder1.block",
        head="final",
    ),
    parameters=31_042_369,
    failures=0,
    summary="Standard U-Net; validation and test list means of batches",
)

RUN_09 = _rerun(
    9,
    recipe=USUAL_RERUN.change("net.norm", "none")
    .change("net.concat", "skip-first")
    .change("net.mismatch", "resize-nearest")
    .change("net.drawn", "bottleneck-last")
    .change("fit.epochs", 20)
    .change("fit.epoch_loss", "cases")
    .change("score", DICE_MEAN_OF_BATCH)
    .change("test", DICE_MEAN_OF_BATCH),
    original_names=original_names(
        encoder="encoder.0 encoder.1 encoder.2 encoder.3",
        bottleneck="bottleneck",
        up="decoder.0 decoder.2 decoder.4 decoder.6",
        decoder="decoder.1 decoder.3 decoder.5 decoder.7",
        head="final_conv",
    ),
    parameters=31_030_593,
    failures=1,
    summary="Standard U-Net without batch norm; validation and test list means of batches",
    disagreements=(
        against_code(
            "card.origin",
            published="error of class Other",
            code="a mask was looked up without its suffix: a missing file",
            consequence="classes of errors are not counted right",
            source="GPT 4o-9 chat.json",
        ),
    ),
)

RUN_10 = _rerun(
    10,
    recipe=USUAL_RERUN.change("fit.test_batch_size", 1).change("score", DICE_MEAN_OF_BATCH),
    original_names=original_names(
        encoder="encoder1.block encoder2.block encoder3.block encoder4.block",
        bottleneck="bottleneck.block",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="decoder4.block decoder3.block decoder2.block decoder1.block",
        head="final",
    ),
    parameters=31_042_369,
    failures=1,
    summary="Standard U-Net; validation lists means of batches, the test a Dice per image",
)

PIPELINES = (RUN_01, RUN_02, RUN_03, RUN_04, RUN_05, RUN_06, RUN_07, RUN_08, RUN_09, RUN_10)
