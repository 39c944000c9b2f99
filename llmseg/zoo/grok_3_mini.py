"""The pipeline that Grok 3 mini Reasoning wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import undocumented

PIPELINE = common.study_pipeline(
    "grok-3-mini",
    name="Grok 3 mini Reasoning",
    vendor="xAI",
    cohort=2025,
    reasoning=True,
    parameters=31_042_369,
    scripts="Modells 2025/Grok 3 mini_reasoning",
    summary="standard U-Net with batch norm and a sigmoid output",
    published_for="brain",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=("mask folder, suffix and extension; sorted listing",),
    disagreements=(
        undocumented(
            "loss.reads",
            published="the table names a sigmoid final layer and BCEWithLogits side by side without remark",
            code="the loss applies a second sigmoid",
            consequence="loss floor near 0.69 for mostly empty masks and weak gradients; the loss curve is not on the "
            "scale of the others",
            source="train.py:22",
        ),
    ),
    recipe=Recipe(
        images=common.BILINEAR_MASKS,
        split=common.SPLIT_80_10_10,
        net=replace(common.STANDARD_UNET, concat="skip-first", drawn="bottleneck-last"),
        # The network ends in a sigmoid, and this loss applies a second one.
        loss=common.BCE_ON_LOGITS,
        fit=replace(common.FIT, batch_size=16, epochs=20, rate=1e-4, epoch_loss="batches"),
        score=common.DICE_OVER_BATCH,
        test=common.DICE_OVER_BATCH,
    ),
    original_names=common.original_names(
        encoder="downs.0 downs.1 downs.2 downs.3",
        bottleneck="bottleneck",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1 ups.3 ups.5 ups.7",
        head="final_conv",
    ),
)
