"""The pipeline that Grok 3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import other_capacity

_DICE = replace(common.DICE_OVER_BATCH, smooth=1.0)

PIPELINE = common.study_pipeline(
    "grok-3",
    name="Grok 3",
    vendor="xAI",
    cohort=2025,
    parameters=31_042_369,
    scripts="Modells 2025/Grok 3",
    summary="standard U-Net with batch norm and a sigmoid output",
    published_for="BAGLS",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=("the exclusion of mask files from the listing",),
    disagreements=(
        other_capacity(
            code="non-reasoning with a 1024-channel bottleneck and 31.04 M parameters", source="model.py:32"
        ),
    ),
    recipe=Recipe(
        images=common.BILINEAR_MASKS,
        split=replace(common.SPLIT_80_10_10, first_size=0.8, sizes_are="train_size"),
        net=replace(common.STANDARD_UNET, concat="skip-first"),
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=20, rate=1e-3, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="downs.0.double_conv downs.1.double_conv downs.2.double_conv downs.3.double_conv",
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final_conv",
    ),
)
