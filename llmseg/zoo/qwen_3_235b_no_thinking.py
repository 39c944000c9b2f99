"""The pipeline that Qwen 3 235B without thinking wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import undocumented

PIPELINE = common.study_pipeline(
    "qwen-3-235b-no-thinking",
    name="Qwen 3 235B without thinking",
    vendor="Alibaba (Qwen)",
    cohort=2025,
    in_study=False,
    open_weights=True,
    parameters=7_701_825,
    scripts="Modells 2025/Qwen 3_235B without thinking",
    summary="U-Net with three poolings, batch norm and a sigmoid output; the fourth encoder block is the bottleneck",
    published_for="brain",
    origin="every statement of model.py occurs in it; the training and main scripts cannot be compared because the "
    "record interleaves line numbers",
    author_edits=("file extension, mask folder and suffix",),
    disagreements=(
        undocumented(
            "card.in_study",
            published="eleven 2025 models are named; this run is not among them",
            code="a twelfth 2025 folder is published with the code",
            consequence="not part of the core comparison; its model script was also used for LLaMA 4 Maverick",
            source="model.py",
        ),
        undocumented(
            "images.size",
            published="all images are said to be resized",
            code="no resize; all images of a batch must have one size, a multiple of 8",
            consequence="works only on data with one native size",
            source="dataset.py:60",
        ),
    ),
    recipe=Recipe(
        # Nothing is resized: all images must have one size.
        images=replace(common.BILINEAR_MASKS, size=None),
        split=common.SPLIT_80_10_10,
        net=common.UNET_OF_THREE_POOLINGS,
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=30, rate=1e-4, epoch_loss="batches"),
        score=common.DICE_OVER_BATCH,
        test=common.DICE_PER_CASE,
    ),
    original_names=common.original_names(
        encoder="down1 down2 down3",
        bottleneck="down4",
        up="up3 up2 up1",
        decoder="up_conv3 up_conv2 up_conv1",
        head="final_conv",
    ),
)
