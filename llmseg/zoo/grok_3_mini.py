"""The pipeline that Grok 3 mini Reasoning wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_LOGITS, BILINEAR_MASKS, SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="batch",
    lists="batch",
    smooth=1e-06,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="grok-3-mini",
    card=Card(
        name="Grok 3 mini Reasoning",
        vendor="xAI",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=False,
        parameters=31042369,
        summary="standard U-Net with batch norm and a sigmoid output",
        published=Published(
            parameters="31.0 M",
            training_time="0:24:21 +/- 14.9 min",
            batch_size=16,
            epochs=20,
            optimizer="Adam (1e-4)",
            loss="BCEWithLogits",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512),
            bottleneck="512 -> 1024 -> 1024 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1) + Sigmoid",
        ),
        published_for="brain",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=("mask folder, suffix and extension; sorted listing",),
        disagreements=(
            Disagreement(
                kind="undocumented",
                about="objective.double_sigmoid",
                published=("the table names a sigmoid final layer and BCEWithLogits side by side without remark"),
                code="the loss applies a second sigmoid",
                consequence=(
                    "loss floor near 0.69 for mostly empty masks and weak gradients; the loss curve"
                    " is not on the scale of the others"
                ),
            ),
        ),
    ),
    recipe=Recipe(
        images=BILINEAR_MASKS,
        split=SPLIT_80_10_10,
        net=replace(STANDARD_UNET, concat="skip-first", drawn="bottleneck-last"),
        loss=BCE_ON_LOGITS,
        fit=Fit(
            batch_size=16,
            test_batch_size=None,
            epochs=20,
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
        encoder="downs.0 downs.1 downs.2 downs.3",
        bottleneck="bottleneck",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1 ups.3 ups.5 ups.7",
        head="final_conv",
    ),
)
