"""The pipeline that Grok 3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_PROBABILITY, BILINEAR_MASKS, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="batch",
    lists="batch",
    smooth=1.0,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="grok-3",
    card=Card(
        name="Grok 3",
        vendor="xAI",
        cohort=2025,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=31042369,
        summary="standard U-Net with batch norm and a sigmoid output",
        published=Published(
            parameters="31.0 M",
            training_time="0:35:13 +/- 13.8 min",
            batch_size=16,
            epochs=20,
            optimizer="Adam (1e-3)",
            loss="BCE",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512),
            bottleneck="512 -> 1024 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1) + Sigmoid",
        ),
        published_for="BAGLS",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=("the exclusion of mask files from the listing",),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="text: capacity by reasoning class",
                published=(
                    "the closing comparison says that reasoning models settled on 1024-channel "
                    "bottlenecks with about 31 M parameters and that lighter non-reasoning variants"
                    " used 512-channel bottlenecks with about 7-8 M"
                ),
                code="non-reasoning with a 1024-channel bottleneck and 31.04 M parameters",
                consequence="the stated link of capacity and reasoning does not hold for this model",
            ),
        ),
    ),
    recipe=Recipe(
        images=BILINEAR_MASKS,
        split=TwoStepSplit(
            first="held-out",
            first_size=0.8,
            second_size=0.5,
            sizes_are="train_size",
            seed=42,
            order="drawn",
            shuffled=False,
        ),
        net=replace(STANDARD_UNET, concat="skip-first"),
        loss=BCE_ON_PROBABILITY,
        fit=Fit(
            batch_size=16,
            test_batch_size=None,
            epochs=20,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.001,
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
        encoder=("downs.0.double_conv downs.1.double_conv downs.2.double_conv downs.3.double_conv"),
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final_conv",
    ),
)
