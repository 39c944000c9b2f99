"""The ten pipelines that GPT o4-mini-high wrote for the same prompt; each states what differs from most of them."""

from __future__ import annotations

from dataclasses import replace

from llmseg.zoo.card import Published
from llmseg.zoo.common import SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.gpt_o4_mini_high import PIPELINE as BASE
from llmseg.zoo.reruns.common import MEAN_OF_BATCH, MOST, OVER_BATCH, PER_CASE, against_table, rerun

_BY_TRAIN_SIZE = replace(SPLIT_80_10_10, first_size=0.8, sizes_are="train_size")
_TRANSPOSED = replace(STANDARD_UNET, concat="skip-first", mismatch="resize-nearest", drawn="bottleneck-last")
_BILINEAR = replace(
    STANDARD_UNET,
    bottleneck=512,
    decoder=(256, 128, 64, 64),
    bias=False,
    up="bilinear",
    concat="skip-first",
    mismatch="pad",
)
_BELOW_ONLY = replace(MEAN_OF_BATCH, reads="sigmoid", smoothed="below")
_MOST = MOST.change("net", _BILINEAR).change("fit.epochs", 20).change("fit.epoch_loss", "cases")
_ROW = Published(
    parameters="13,390,209",
    training_time="",
    batch_size=8,
    epochs=50,
    optimizer="Adam (lr=1e-4)",
    loss="BCELoss",
    image_size=(256, 256),
    encoder_stages=4,
    decoder_stages=4,
    block="(Conv2d, BN, ReLU) x2",
    encoder=(64, 128, 256, 512),
    bottleneck="",
    decoder=(512, 256, 128, 64),
    head="Conv2d(64, 1, 1)",
)
"""What most rows of the table have in common."""

_DECODER = against_table(
    "architecture.decoder",
    "decoder channels 512, 256, 128, 64",
    "blocks give 256, 128, 64, 64",
    "widths of the table cannot be rebuilt",
)
_HEAD = against_table(
    "architecture.head",
    "a 1x1 convolution",
    "a sigmoid follows it",
    "read from the table, the network would end in logits",
)
_UNPOOLED = against_table(
    "architecture.bottleneck",
    "a bottleneck after the encoder",
    "nothing is pooled before it",
    "the deepest features lie beside the skip they join",
)
_STAGES = against_table(
    "architecture.encoder",
    "4 encoder stages",
    "the encoder that the table gives 5 stages in reruns 3, 5, 6 and 7",
    "stages are not counted alike",
)


def _names(block: str, stage: str, head: str) -> tuple[tuple[str, str], ...]:
    """Return the names of the bilinear networks, which differ in what blocks, pooled stages and head are called."""
    return original_names(
        encoder=" ".join([f"inc.{block}", *(f"down{i}.{stage}.1.{block}" for i in (1, 2, 3))]),
        bottleneck=f"down4.{stage}.1.{block}",
        decoder=" ".join(f"up{i}.conv.{block}" for i in (1, 2, 3, 4)),
        head=head,
    )


RUN_01 = rerun(
    BASE,
    1,
    recipe=_MOST.change("images.mask_resize", "pillow-nearest")
    .change("images.mask_threshold", None)
    .change("net", replace(_BILINEAR, bottleneck=1024, decoder=(512, 256, 128, 64), pool_last=False)),
    original_names=original_names(
        encoder=" ".join(["inc.double_conv", *(f"downs.{i}.maxpool_conv.1.double_conv" for i in (0, 1, 2))]),
        bottleneck="bottleneck.double_conv",
        decoder="ups.0.conv.double_conv ups.1.conv.double_conv ups.2.conv.double_conv ups.3.conv.double_conv",
        head="outc",
    ),
    parameters=31383681,
    published=replace(
        _ROW,
        parameters="31,383,681",
        training_time="429 s",
        epochs=20,
        block="DoubleConv",
        bottleneck="DoubleConv (512 to 1024)",
        head="Conv2d(64, 1, 1) + Sigmoid",
    ),
    failures=3,
    summary="Bilinear U-Net whose last encoder block is not pooled, so a map is cut to its centre; masks stay grey",
    disagreements=(
        against_table(
            "errors",
            "1 error in the table, 2 in the list",
            "3 failing executions in the conversation",
            "errors are not counted alike",
        ),
        _UNPOOLED,
    ),
)

RUN_02 = rerun(
    BASE,
    2,
    recipe=_MOST.change("images.image_resize", "pillow-bicubic")
    .change("images.mask_resize", "pillow-bicubic")
    .change("split", _BY_TRAIN_SIZE)
    .change("net", replace(_TRANSPOSED, bias=False, output="logits"))
    .change("loss.reads", "logits")
    .change("fit.rate", 1e-3)
    .change("fit.epoch_loss", "batches")
    .change("score", replace(PER_CASE, reads="sigmoid"))
    .change("test", replace(PER_CASE, reads="sigmoid")),
    original_names=original_names(
        encoder="downs.0.double_conv downs.1.double_conv downs.2.double_conv downs.3.double_conv",
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final",
    ),
    parameters=31036481,
    published=replace(
        _ROW,
        parameters="31,036,481",
        training_time="369.6 s",
        epochs=20,
        optimizer="Adam (lr=1e-3)",
        loss="BCEWithLogitsLoss",
        block="DoubleConv",
        bottleneck="DoubleConv (512 to 1024)",
    ),
    failures=0,
    summary="Standard U-Net on logits; bicubic resizing of image and mask",
)

RUN_03 = rerun(
    BASE,
    3,
    recipe=_MOST.change("images.mean", 0.5)
    .change("images.std", 0.5)
    .change("images.colour_when", "after-resize")
    .change("fit.epochs", 50),
    original_names=_names("double_conv", "down", "outc.conv"),
    parameters=13390209,
    published=replace(
        _ROW,
        parameters="13,390,209",
        training_time="2899.2 s",
        encoder_stages=5,
        encoder=(64, 128, 256, 512, 512),
        bottleneck="DoubleConv",
    ),
    failures=0,
    summary="Bilinear U-Net of 13 M parameters; images in -1..1, made grey after the resize",
    disagreements=(
        _DECODER,
        _HEAD,
        against_table(
            "architecture.bottleneck",
            "the pooled level of 512 channels is a fifth encoder stage",
            "the encoder of reruns 9 and 10, which have four in the table",
            "stages are not counted alike",
        ),
    ),
)

RUN_04 = rerun(
    BASE,
    4,
    recipe=_MOST.change("images.mask_resize", "pillow-nearest")
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
    parameters=125767809,
    published=replace(
        _ROW,
        parameters="125,767,809",
        training_time="1750.2 s",
        epochs=25,
        optimizer="Adam (lr=1e-3)",
        loss="BCEWithLogitsLoss",
        encoder_stages=5,
        decoder_stages=5,
        encoder=(64, 128, 256, 512, 1024),
        bottleneck="DoubleConv (1024 to 2048)",
        decoder=(1024, 512, 256, 128, 64),
    ),
    failures=7,
    summary="The largest rerun: its last encoder block is not pooled; Dice is smoothed below the line only",
    disagreements=(
        against_table(
            "errors",
            "2 errors in the table, 4 in the list",
            "7 failing executions in the conversation",
            "errors are not counted alike",
        ),
        _UNPOOLED,
    ),
)

RUN_05 = rerun(
    BASE,
    5,
    recipe=_MOST.change("images.mask_resize", "pillow-nearest")
    .change("images.mask_threshold", 128 / 255)
    .change("images.threshold_when", "before-resize")
    .change("images.mask_type", "int64")
    .change("fit.rate", 1e-3),
    original_names=_names("double_conv", "maxpool_conv", "outc"),
    parameters=13390209,
    published=replace(
        _ROW,
        parameters="13,390,209",
        training_time="307.2 s",
        epochs=20,
        optimizer="Adam (lr=1e-3)",
        encoder_stages=5,
        encoder=(64, 128, 256, 512, 512),
        bottleneck="Down (512 to 512)",
        decoder=(256, 128, 64, 64),
    ),
    failures=2,
    summary="Bilinear U-Net of 13 M parameters; masks are binarised above 128 before the resize",
    disagreements=(_HEAD,),
)

RUN_06 = rerun(
    BASE,
    6,
    recipe=_MOST.change("net.bias", True).change("fit.epochs", 50).change("fit.rate", 1e-3),
    original_names=_names("double_conv", "down", "outc"),
    parameters=13394177,
    published=replace(
        _ROW,
        parameters="13,394,177",
        training_time="2902.8 s",
        optimizer="Adam (lr=1e-3)",
        encoder_stages=5,
        encoder=(64, 128, 256, 512, 512),
        bottleneck="Down (512 to 512)",
        head="Conv2d(64, 1, 1) + Sigmoid",
    ),
    failures=0,
    summary="Bilinear U-Net whose convolutions keep their bias",
    disagreements=(_DECODER,),
)

RUN_07 = rerun(
    BASE,
    7,
    recipe=_MOST.change("images.mask_threshold", None)
    .change("net.output", "logits")
    .change("loss.reads", "logits")
    .change("fit.epochs", 50)
    .change("score", replace(MEAN_OF_BATCH, reads="sigmoid"))
    .change("test", replace(MEAN_OF_BATCH, reads="sigmoid")),
    original_names=_names("net", "net", "outc.conv"),
    parameters=13390209,
    published=replace(
        _ROW,
        parameters="13,390,209",
        training_time="2907 s",
        loss="BCEWithLogitsLoss",
        encoder_stages=5,
        encoder=(64, 128, 256, 512, 512),
        bottleneck="Down (512 to 512)",
        decoder=(256, 128, 64, 64),
        head="OutConv: Conv2d(64, 1, 1)",
    ),
    failures=1,
    summary="Bilinear U-Net on logits; masks stay grey",
    disagreements=(
        against_table(
            "errors",
            "0 errors in the table, 1 in the list",
            "1 failing executions in the conversation",
            "errors are not counted alike",
        ),
    ),
)

RUN_08 = rerun(
    BASE,
    8,
    recipe=_MOST.change("split", _BY_TRAIN_SIZE)
    .change("net", _TRANSPOSED)
    .change("fit.rate", 1e-3)
    .change("score", OVER_BATCH)
    .change("test", OVER_BATCH),
    original_names=original_names(
        encoder="downs.0.net downs.1.net downs.2.net downs.3.net",
        bottleneck="bottleneck.net",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.net ups.3.net ups.5.net ups.7.net",
        head="final_conv",
    ),
    parameters=31042369,
    published=replace(
        _ROW,
        parameters="31,042,369",
        training_time="1227 s",
        epochs=20,
        optimizer="Adam (lr=1e-3)",
        bottleneck="DoubleConv (512 to 1024)",
    ),
    failures=0,
    summary="Standard U-Net; Dice over the pixels of a batch",
    disagreements=(_HEAD,),
)

RUN_09 = rerun(
    BASE,
    9,
    recipe=_MOST.change("images.mask_resize", "pillow-nearest")
    .change("split", _BY_TRAIN_SIZE)
    .change("fit.epochs", 50)
    .change("fit.epoch_loss", "batches")
    .change("score", MEAN_OF_BATCH)
    .change("test", MEAN_OF_BATCH),
    original_names=_names("double_conv", "pool_conv", "outc.conv"),
    parameters=13390209,
    published=replace(
        _ROW,
        parameters="13,390,209",
        training_time="741 s",
        bottleneck="DoubleConv (512 to 512)",
    ),
    failures=1,
    summary="Bilinear U-Net of 13 M parameters; validation and test list means of batches",
    disagreements=(
        _STAGES,
        _DECODER,
        _HEAD,
        against_table(
            "optimizer.epochs",
            "50 epochs",
            "50 epochs, where the conversation has 20",
            "the published state is not that of the conversation",
        ),
    ),
)

RUN_10 = rerun(
    BASE,
    10,
    recipe=_MOST.change("images.mean", 0.5)
    .change("images.std", 0.5)
    .change("net.output", "logits")
    .change("loss.reads", "logits")
    .change("fit.epochs", 50)
    .change("score", replace(OVER_BATCH, reads="sigmoid"))
    .change("test", replace(OVER_BATCH, reads="sigmoid")),
    original_names=_names("double_conv", "maxpool_conv", "outc.conv"),
    parameters=13390209,
    published=replace(
        _ROW,
        parameters="13,390,209",
        training_time="798.6 s",
        loss="BCEWithLogitsLoss",
        bottleneck="DoubleConv (512 to 512)",
        head="OutConv: Conv2d(64, 1, 1)",
    ),
    failures=0,
    summary="Bilinear U-Net on logits; images in -1..1; Dice over the pixels of a batch",
    disagreements=(
        _DECODER,
        _STAGES,
    ),
)

PIPELINES = (RUN_01, RUN_02, RUN_03, RUN_04, RUN_05, RUN_06, RUN_07, RUN_08, RUN_09, RUN_10)
