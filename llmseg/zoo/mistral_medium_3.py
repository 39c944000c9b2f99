"""The pipeline that Mistral Medium 3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import large_test_split, other_capacity, other_decoder, soft_dice

PIPELINE = common.study_pipeline(
    "mistral-medium-3",
    name="Mistral Medium 3",
    vendor="Mistral AI",
    cohort=2025,
    reasoning=True,
    open_weights=True,
    parameters=13_394_177,
    scripts="Modells 2025/Mistral Medium 3",
    summary="U-Net with bilinear upsampling and a 512-channel bottleneck; layer for layer the network of deepseek-v3",
    published_for="retina",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=("mask folder and suffix handling (older rules kept as comments)", "file extension"),
    disagreements=(
        large_test_split("main.py:40"),
        other_decoder(
            code="256, 128, 64, 64",
            consequence="the published parameter count belongs to the code",
            source="model.py:75",
        ),
        soft_dice(code="soft Dice over the flattened batch with smooth 1.0", source="train.py:17"),
        other_capacity(code="counted as reasoning, 512-channel bottleneck, 13.39 M parameters", source="model.py:74"),
    ),
    recipe=Recipe(
        images=common.BILINEAR_MASKS,
        split=common.SPLIT_70_10_20,
        net=common.BILINEAR_UNET,
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=50, rate=1e-3),
        score=common.SOFT_DICE_OVER_BATCH,
        test=common.SOFT_DICE_OVER_BATCH,
    ),
    original_names=common.down_up_names("double_conv", "maxpool_conv", head="outc.conv"),
)
