"""The ten pipelines that GPT-4o wrote for the same prompt; each states what differs from most of them."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import OwnSeed
from llmseg.zoo.card import Published
from llmseg.zoo.common import original_names
from llmseg.zoo.gpt_4o import PIPELINE as BASE
from llmseg.zoo.reruns.common import MEAN_OF_BATCH, MOST, OVER_BATCH, PER_CASE, against_table, rerun


def _published(
    parameters: int, time: str, epochs: int, block: str, bottleneck: str, optimizer: str = "Adam (lr=1e-4)"
) -> Published:
    return Published(
        parameters=f"{parameters:,}",
        training_time=time,
        batch_size=8,
        epochs=epochs,
        optimizer=optimizer,
        loss="BCELoss",
        image_size=(256, 256),
        encoder_stages=4,
        decoder_stages=4,
        block=block,
        encoder=(64, 128, 256, 512),
        bottleneck=bottleneck,
        decoder=(512, 256, 128, 64),
        head="Conv2d(64, 1, 1) + Sigmoid",
    )


RUN_01 = rerun(
    BASE,
    1,
    recipe=MOST.change("images.image_resize", "pillow-bicubic")
    .change("images.mask_resize", "pillow-bicubic")
    .change("net.norm", "none")
    .change("fit.epochs", 30)
    .change("fit.test_batch_size", 1)
    .change("score", replace(MEAN_OF_BATCH, smooth=1e-7))
    .change("test", replace(PER_CASE, smooth=1e-7)),
    original_names=original_names(
        encoder="down1 down2 down3 down4",
        bottleneck="bottleneck",
        up="up4 up3 up2 up1",
        decoder="conv4 conv3 conv2 conv1",
        head="final",
    ),
    parameters=31030593,
    published=_published(31030593, "534.6 s", 30, "(Conv, ReLU) x2", "conv_block (512 to 1024)"),
    failures=0,
    summary="Standard U-Net without batch norm; bicubic resizing of image and mask",
)

RUN_02 = rerun(
    BASE,
    2,
    recipe=MOST.change("split.shuffled", True)
    .change("net.concat", "skip-first")
    .change("net.mismatch", "resize-nearest")
    .change("fit.rate", 1e-3)
    .change("score", MEAN_OF_BATCH)
    .change("test", MEAN_OF_BATCH),
    original_names=original_names(
        encoder="downs.0.double_conv downs.2.double_conv downs.4.double_conv downs.6.double_conv",
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final_conv",
    ),
    parameters=31042369,
    published=_published(31042369, "468.01 s", 25, "DoubleConv", "DoubleConv (512 to 1024)", "Adam (lr=1e-3)"),
    failures=1,
    summary="Standard U-Net; cases are shuffled without a seed before the seeded split",
)

RUN_03 = rerun(
    BASE,
    3,
    recipe=MOST.change("images.mask_resize", "pillow-nearest")
    .change("fit.epochs", 20)
    .change("fit.test_batch_size", 1),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="up4 up3 up2 up1",
        decoder="dec4 dec3 dec2 dec1",
        head="final",
    ),
    parameters=31042369,
    published=_published(31042369, "360.44 s", 20, "CBR", "CBR (512 to 1024)"),
    failures=0,
    summary="Standard U-Net; validation and test list a Dice per image",
    disagreements=(
        against_table(
            "architecture.block",
            "block and bottleneck are called CBR",
            "the function of that name builds a double block",
            "the network is that of the other reruns",
        ),
    ),
)

RUN_04 = rerun(
    BASE,
    4,
    recipe=MOST.change("fit.epochs", 20)
    .change("fit.test_batch_size", 1)
    .change("score", replace(MEAN_OF_BATCH, smooth=1e-8))
    .change("test", replace(PER_CASE, smooth=1e-8)),
    original_names=original_names(
        encoder="down1.conv down2.conv down3.conv down4.conv",
        bottleneck="middle.conv",
        up="up4 up3 up2 up1",
        decoder="dec4.conv dec3.conv dec2.conv dec1.conv",
        head="final",
    ),
    parameters=31042369,
    published=_published(31042369, "372.43 s", 20, "DoubleConv", "DoubleConv (512 to 1024)"),
    failures=1,
    summary="Standard U-Net with the smallest smoothing constant of the reruns",
)

RUN_05 = rerun(
    BASE,
    5,
    recipe=MOST.change("split.shuffled", True)
    .change("fit.epochs", 20)
    .change("fit.epoch_loss", "cases")
    .change("fit.test_batch_size", 1)
    .change("score", replace(MEAN_OF_BATCH, smooth=1e-7))
    .change("test", replace(PER_CASE, smooth=1e-7)),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="dec4 dec3 dec2 dec1",
        head="conv_final",
    ),
    parameters=31042369,
    published=_published(31042369, "374.59 s", 20, "CBR", "CBR (512 to 1024)"),
    failures=1,
    summary="Standard U-Net; the file list is shuffled without a seed before the seeded split",
    disagreements=(
        against_table(
            "architecture.block",
            "block and bottleneck are called CBR",
            "the function of that name builds a double block",
            "the network is that of the other reruns",
        ),
    ),
)

RUN_06 = rerun(
    BASE,
    6,
    recipe=MOST.change("net.drawn", "ups-first")
    .change("fit.epoch_loss", "cases")
    .change("fit.own_seed", OwnSeed(seed=42, summary_batch=1, spare_orders=0))
    .change("score", OVER_BATCH),
    original_names=original_names(
        encoder="encoder.0.net encoder.1.net encoder.2.net encoder.3.net",
        bottleneck="bottleneck.net",
        up="upconvs.0 upconvs.1 upconvs.2 upconvs.3",
        decoder="decoder.0.net decoder.1.net decoder.2.net decoder.3.net",
        head="final_conv",
    ),
    parameters=31042369,
    published=_published(31042369, "484.19 s", 25, "DoubleConv", "DoubleConv (512 to 1024)"),
    failures=1,
    summary="Standard U-Net; the only rerun that seeds weights and case order",
)

RUN_07 = rerun(
    BASE,
    7,
    recipe=MOST.change("fit.test_batch_size", 1),
    original_names=original_names(
        encoder="enc1.block enc2.block enc3.block enc4.block",
        bottleneck="bottleneck.block",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="dec4.block dec3.block dec2.block dec1.block",
        head="final",
    ),
    parameters=31042369,
    published=_published(31042369, "466.61 s", 25, "(Conv, BN, ReLU) x2", "UNetBlock (512 to 1024)"),
    failures=0,
    summary="Standard U-Net; validation and test list a Dice per image",
)

RUN_08 = rerun(
    BASE,
    8,
    recipe=MOST.change("fit.epochs", 20)
    .change("fit.epoch_loss", "cases")
    .change("score", MEAN_OF_BATCH)
    .change("test", MEAN_OF_BATCH),
    original_names=original_names(
        encoder="encoder1.block encoder2.block encoder3.block encoder4.block",
        bottleneck="bottleneck.block",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="decoder4.block decoder3.block decoder2.block decoder1.block",
        head="final",
    ),
    parameters=31042369,
    published=_published(31042369, "375.42 s", 20, "DoubleConv", "DoubleConv (512 to 1024)"),
    failures=0,
    summary="Standard U-Net; validation and test list means of batches",
)

RUN_09 = rerun(
    BASE,
    9,
    recipe=MOST.change("net.norm", "none")
    .change("net.concat", "skip-first")
    .change("net.mismatch", "resize-nearest")
    .change("net.drawn", "bottleneck-last")
    .change("fit.epochs", 20)
    .change("fit.epoch_loss", "cases")
    .change("score", MEAN_OF_BATCH)
    .change("test", MEAN_OF_BATCH),
    original_names=original_names(
        encoder="encoder.0 encoder.1 encoder.2 encoder.3",
        bottleneck="bottleneck",
        up="decoder.0 decoder.2 decoder.4 decoder.6",
        decoder="decoder.1 decoder.3 decoder.5 decoder.7",
        head="final_conv",
    ),
    parameters=31030593,
    published=_published(31030593, "367.24 s", 20, "DoubleConv (no BatchNorm)", "double_conv (512 to 1024)"),
    failures=1,
    summary="Standard U-Net without batch norm; validation and test list means of batches",
    disagreements=(
        against_table(
            "errors",
            "error of class Other",
            "a mask was looked up without its suffix: a missing file",
            "classes of errors are not counted right",
        ),
    ),
)

RUN_10 = rerun(
    BASE,
    10,
    recipe=MOST.change("fit.test_batch_size", 1).change("score", MEAN_OF_BATCH),
    original_names=original_names(
        encoder="encoder1.block encoder2.block encoder3.block encoder4.block",
        bottleneck="bottleneck.block",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="decoder4.block decoder3.block decoder2.block decoder1.block",
        head="final",
    ),
    parameters=31042369,
    published=_published(31042369, "469.86 s", 25, "DoubleConv", "DoubleConv (512 to 1024)"),
    failures=1,
    summary="Standard U-Net; validation lists means of batches, the test a Dice per image",
)

PIPELINES = (RUN_01, RUN_02, RUN_03, RUN_04, RUN_05, RUN_06, RUN_07, RUN_08, RUN_09, RUN_10)
