"""The pipeline that DeepSeek R1 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, openness, other_range, unprinted_sigmoid

PIPELINE = common.study_pipeline(
    "deepseek-r1",
    name="DeepSeek R1",
    vendor="DeepSeek",
    cohort=2025,
    reasoning=True,
    open_weights=True,
    parameters=31_389_569,
    scripts="Modells 2025/DeepSeek R1",
    summary="U-Net with bilinear upsampling, full widths: the upsampled map keeps its channels until the block",
    published_for="brain",
    origin=common.CODE_IS_RECORDED,
    author_edits=(
        "file extension, mask folder and mask name",
        "smooth 1e-6 added to the Dice metric (both-empty case)",
        "Dice stored as batch means, layout of the Dice sheets",
    ),
    disagreements=(
        against_code(
            "loss.bce",
            published="Dice + BCE (70/30)",
            code="0.7 on BCE, 0.3 on Dice (so also the study's own workbook)",
            consequence="read as printed, the weights would be swapped",
            source="train.py:26",
        ),
        other_range("dataset.py:30"),
        unprinted_sigmoid("model.py:90"),
        openness("DeepSeek R1", text="among the closed models", table="Yes"),
    ),
    recipe=Recipe(
        images=replace(common.NEAREST_MASKS, mean=0.5, std=0.5),
        split=common.SPLIT_80_10_10,
        net=replace(common.BILINEAR_UNET, bottleneck=1024, decoder=(512, 256, 128, 64)),
        loss=replace(common.BCE_ON_PROBABILITY, bce=0.7, dice=0.3),
        fit=replace(
            common.FIT,
            batch_size=8,
            epochs=30,
            rate=1e-3,
            decay=1e-5,
            own_seed=OwnSeed(seed=42, summary_batch=8, spare_orders=0),
        ),
        score=common.DICE_MEAN_OF_BATCH,
        test=common.DICE_MEAN_OF_BATCH,
    ),
    original_names=common.down_up_names("double_conv", "maxpool_conv", head="outc"),
)
