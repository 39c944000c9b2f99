"""The pipeline that GPT o3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit, OwnSeed
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_LOGITS, NEAREST_MASKS, SPLIT_80_10_10, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="sigmoid",
    threshold=0.5,
    over="case",
    lists="batch",
    smooth=1e-07,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="gpt-o3",
    card=Card(
        name="GPT o3",
        vendor="OpenAI",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=False,
        parameters=7762465,
        summary="U-Net with batch norm at half the usual width (32 to 512)",
        published=Published(
            parameters="7.8 M",
            training_time="0:40:44 +/- 14.0 min",
            batch_size=8,
            epochs=25,
            optimizer="Adam (1e-3)",
            loss="BCEWithLogits",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="(Conv -> BN -> ReLU) x2",
            encoder=(32, 64, 128, 256),
            bottleneck="256 -> 512 ch",
            decoder=(256, 128, 64, 32),
            head="Conv2d (32 -> 1)",
        ),
        published_for="skin, read as RGB (paths of the other data sets as comments)",
        origin=("every statement of model.py, the loss, optimiser, schedule and split occur in it"),
        author_edits=(
            "mask folder, mask suffix and search order for masks",
            "images read as RGB and the first layer widened to 3 channels",
            ("Dice stored as batch means instead of one value per sample (the older loop is kept as a comment)"),
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="text: capacity by reasoning class",
                published=(
                    "the closing comparison says that reasoning models settled on 1024-channel "
                    "bottlenecks with about 31 M parameters and that lighter non-reasoning variants"
                    " used 512-channel bottlenecks with about 7-8 M"
                ),
                code="a reasoning model with a 512-channel bottleneck and 7.76 M parameters",
                consequence="the stated link of capacity and reasoning does not hold for this model",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.rgb_variant",
                published="grey-scale task for all models",
                code="the published state reads RGB and has 3 input channels (7,763,041 parameters)",
                consequence=("on skin data two of the 19 pipelines see colour, the others (as far as published) grey"),
            ),
        ),
    ),
    recipe=Recipe(
        images=NEAREST_MASKS,
        split=SPLIT_80_10_10,
        net=UNet(
            encoder=(32, 64, 128, 256),
            bottleneck=512,
            decoder=(256, 128, 64, 32),
            norm="batch",
            bias=False,
            up="transposed",
            hidden="block",
            concat="up-first",
            skip_from="block",
            pool_last=True,
            pool_bottleneck=False,
            dropout=0.0,
            mismatch="error",
            drawn="stages",
            output="logits",
        ),
        loss=BCE_ON_LOGITS,
        fit=Fit(
            batch_size=8,
            test_batch_size=None,
            epochs=25,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.001,
            decay=0.0,
            schedule=None,
            average=None,
            augment=None,
            keep="last",
            epoch_loss="cases",
            own_seed=OwnSeed(seed=42, summary_batch=1, spare_orders=1),
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="up4 up3 up2 up1",
        decoder="dec4 dec3 dec2 dec1",
        head="out_conv",
    ),
)

RGB = replace(PIPELINE, id="gpt-o3@rgb", recipe=PIPELINE.recipe.change("images.colour", "rgb"))
"""The state in which the scripts were last published: they read the skin images in colour."""
