"""The pipeline that GPT o4-mini-high wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import colour_images, samples_of_all_cases

_DICE = replace(common.DICE_MEAN_OF_BATCH, reads="sigmoid")

PIPELINE = common.study_pipeline(
    "gpt-o4-mini-high",
    name="GPT o4-mini-high",
    vendor="OpenAI",
    cohort=2025,
    reasoning=True,
    parameters=31_036_481,
    scripts="Modells 2025/GPT o4-mini-high",
    summary="standard U-Net with batch norm, bias-free block convolutions",
    published_for="RGB data with masks of the same name (paths come from the command line; presumably skin)",
    origin=common.CODE_IS_RECORDED,
    author_edits=(
        "mask name without suffix",
        "images read as RGB, first layer widened to 3 channels, figure turned to grey",
    ),
    disagreements=(colour_images("31,037,633", "main.py:91"), samples_of_all_cases("main.py:160")),
    recipe=Recipe(
        images=common.NEAREST_MASKS,
        split=common.SPLIT_80_10_10,
        net=replace(common.STANDARD_UNET, bias=False, concat="skip-first", output="logits"),
        loss=common.BCE_ON_LOGITS,
        fit=replace(common.FIT, batch_size=8, epochs=50, rate=1e-4, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="encoder_layers.0.double_conv encoder_layers.1.double_conv encoder_layers.2.double_conv "
        "encoder_layers.3.double_conv",
        bottleneck="bottleneck.double_conv",
        up="upconvs.0 upconvs.1 upconvs.2 upconvs.3",
        decoder="decoder_layers.0.double_conv decoder_layers.1.double_conv decoder_layers.2.double_conv "
        "decoder_layers.3.double_conv",
        head="final_conv",
    ),
)

RGB = replace(PIPELINE, id="gpt-o4-mini-high@rgb", recipe=PIPELINE.recipe.change("images.colour", "rgb"))
"""The state in which the scripts were last published: they read the skin images in colour."""
