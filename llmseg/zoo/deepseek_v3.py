"""The pipeline that DeepSeek V3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import (
    against_code,
    openness,
    other_capacity,
    other_decoder,
    other_range,
    undocumented,
    unprinted_sigmoid,
)

_DICE = replace(common.DICE_OVER_BATCH, smooth=1.0)

PIPELINE = common.study_pipeline(
    "deepseek-v3",
    name="DeepSeek V3",
    vendor="DeepSeek",
    cohort=2025,
    open_weights=True,
    parameters=13_394_177,
    scripts="Modells 2025/DeepSeek V3",
    summary="U-Net with bilinear upsampling and a 512-channel bottleneck; blocks keep no wider middle layer",
    published_for="retina",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=("file extension, mask folder and listing rule",),
    disagreements=(
        against_code(
            "card.published.parameters",
            published="31.4 M",
            code="13,394,177",
            consequence="more than twice the real size; the published figure equals the DeepSeek R1 count "
            "(31,389,569), so a copying error is likely; statements on capacity and training time are affected",
            source="model.py:65",
        ),
        other_decoder(
            code="256, 128, 64, 64",
            consequence="a decoder built from the table is larger than the code's",
            source="model.py:77",
        ),
        other_range("dataset.py:65"),
        other_capacity(
            code="non-reasoning with a 512-channel bottleneck but 13.39 M parameters",
            consequence="the range 7-8 M does not fit",
            source="model.py:76",
        ),
        unprinted_sigmoid("model.py:94"),
        openness("DeepSeek V3", text="among the closed models", table="Yes"),
        undocumented(
            "images.image_resize",
            published="images were resized",
            code="OpenCV bilinear without antialiasing, the other pipelines use an antialiased PIL resize",
            consequence="inputs differ from the other pipelines' for the same file",
            source="dataset.py:64",
        ),
    ),
    recipe=Recipe(
        # The only script that resizes with OpenCV, after it has made the masks binary.
        images=replace(
            common.NEAREST_MASKS,
            image_resize="opencv-bilinear",
            mask_resize="opencv-nearest",
            mean=0.5,
            std=0.5,
            arithmetic="bytes",
            mask_threshold=0.0,
            threshold_when="before-resize",
        ),
        split=common.SPLIT_80_10_10,
        net=common.BILINEAR_UNET,
        loss=replace(common.BCE_ON_PROBABILITY, dice=1.0),
        fit=replace(common.FIT, batch_size=8, epochs=25, rate=1e-3, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.down_up_names("double_conv", "maxpool_conv", head="outc.conv"),
)
