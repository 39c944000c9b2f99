"""The pipeline that Claude 4 Sonnet wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Plateau
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import soft_dice, undocumented, unprinted_sigmoid

_DICE = replace(common.DICE_MEAN_OF_BATCH, threshold=None)

PIPELINE = common.study_pipeline(
    "claude-4-sonnet",
    name="Claude 4 Sonnet",
    vendor="Anthropic",
    cohort=2025,
    reasoning=True,
    parameters=31_036_481,
    scripts="Modells 2025/Claude 4 Sonnet",
    summary="standard U-Net with batch norm, bias-free block convolutions, transposed convolutions and channel dropout "
    "on the bottleneck output",
    published_for="skin (grey-scale)",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=("mask folder, empty suffix and existence check", "file names above the figure's panels"),
    disagreements=(
        unprinted_sigmoid("model.py:117"),
        undocumented(
            "fit.schedule",
            published="not mentioned",
            code="the learning rate is halved when the validation loss has not improved for more than 5 epochs",
            consequence="the only scheduled pipeline of the 19; the fixed-epoch comparison (120 epochs) is affected",
            source="main.py:114",
        ),
        undocumented(
            "net.dropout",
            published="not mentioned",
            code="channel dropout 0.1 on the bottleneck output",
            consequence="the only pipeline with dropout",
            source="model.py:109",
        ),
        soft_dice(source="model.py:138"),
    ),
    recipe=Recipe(
        images=common.NEAREST_MASKS,
        split=common.SPLIT_80_10_10,
        net=replace(common.STANDARD_UNET, bias=False, concat="skip-first", dropout=0.1, mismatch="pad"),
        loss=replace(common.BCE_ON_PROBABILITY, bce=0.5, dice=0.5, dice_over="case", dice_smooth=1e-6),
        fit=replace(
            common.FIT,
            batch_size=8,
            epochs=50,
            rate=1e-4,
            decay=1e-5,
            schedule=Plateau(factor=0.5, patience=5),
            epoch_loss="batches",
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.down_up_names(
        "double_conv", "maxpool_conv", head="outc.conv", up="up1.up up2.up up3.up up4.up"
    ),
)
