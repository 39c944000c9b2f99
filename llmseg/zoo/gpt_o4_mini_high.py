"""The pipeline that GPT o4-mini-high wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_LOGITS, NEAREST_MASKS, SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="sigmoid",
    threshold=0.5,
    over="case",
    lists="batch",
    smooth=1e-06,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="gpt-o4-mini-high",
    card=Card(
        name="GPT o4-mini-high",
        vendor="OpenAI",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=False,
        parameters=31036481,
        summary="standard U-Net with batch norm, bias-free block convolutions",
        published=Published(
            parameters="31.0 M",
            training_time="1:06:08 +/- 23.4 min",
            batch_size=8,
            epochs=50,
            optimizer="Adam (1e-4)",
            loss="BCEWithLogits",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512),
            bottleneck="1024 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1)",
        ),
        published_for=("RGB data with masks of the same name (paths come from the command line; presumably skin)"),
        origin=("every statement of model.py, the loss, optimiser, schedule and split occur in it"),
        author_edits=(
            "mask name without suffix",
            "images read as RGB, first layer widened to 3 channels, figure turned to grey",
        ),
        disagreements=(
            Disagreement(
                kind="undocumented",
                about="architecture.rgb_variant",
                published="grey-scale task for all models",
                code="the published state reads RGB and has 3 input channels (31,037,633 parameters)",
                consequence=("on skin data two of the 19 pipelines see colour, the others (as far as published) grey"),
            ),
            Disagreement(
                kind="undocumented",
                about="outputs.figures",
                published="sample figure of the test set asked for",
                code="samples are drawn from the whole data set",
                consequence="the figure may show training images",
            ),
        ),
    ),
    recipe=Recipe(
        images=NEAREST_MASKS,
        split=SPLIT_80_10_10,
        net=replace(STANDARD_UNET, bias=False, concat="skip-first", output="logits"),
        loss=BCE_ON_LOGITS,
        fit=Fit(
            batch_size=8,
            test_batch_size=None,
            epochs=50,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.0001,
            decay=0.0,
            schedule=None,
            average=None,
            augment=None,
            keep="last",
            epoch_loss="batches",
            own_seed=None,
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=original_names(
        encoder=(
            "encoder_layers.0.double_conv encoder_layers.1.double_conv "
            "encoder_layers.2.double_conv encoder_layers.3.double_conv"
        ),
        bottleneck="bottleneck.double_conv",
        up="upconvs.0 upconvs.1 upconvs.2 upconvs.3",
        decoder=(
            "decoder_layers.0.double_conv decoder_layers.1.double_conv "
            "decoder_layers.2.double_conv decoder_layers.3.double_conv"
        ),
        head="final_conv",
    ),
)

RGB = replace(PIPELINE, id="gpt-o4-mini-high@rgb", recipe=PIPELINE.recipe.change("images.colour", "rgb"))
"""The state in which the scripts were last published: they read the skin images in colour."""
