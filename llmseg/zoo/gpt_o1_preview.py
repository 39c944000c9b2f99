"""The pipeline that GPT-o1 Preview wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import openness

PIPELINE = common.study_pipeline(
    "gpt-o1-preview",
    name="GPT-o1 Preview",
    vendor="OpenAI",
    cohort=2024,
    reasoning=True,
    parameters=31_042_369,
    scripts="Modells 2024/GPT o1 preview",
    summary="standard U-Net with batch norm, four poolings",
    published_for="retina (other data sets as commented variants)",
    origin="every statement of model.py and train.py occurs in it",
    author_edits=("per-data-set file-name rules", "batch dimension in the model summary call"),
    disagreements=(openness("GPT-o1 Preview", text="as open-source", table="No"),),
    recipe=Recipe(
        images=common.BILINEAR_MASKS,
        split=replace(common.SPLIT_80_10_10, order="sorted"),
        net=common.STANDARD_UNET,
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=10, rate=1e-4),
        score=common.DICE_OVER_BATCH,
        test=common.DICE_OVER_BATCH,
    ),
    original_names=common.original_names(
        encoder="conv1 conv2 conv3 conv4",
        bottleneck="conv5",
        up="up6 up7 up8 up9",
        decoder="conv6 conv7 conv8 conv9",
        head="conv10",
    ),
)
