"""The pipeline that DeepSeek R1 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit, OwnSeed
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="case",
    lists="batch",
    smooth=1e-06,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="deepseek-r1",
    card=Card(
        name="DeepSeek R1",
        vendor="DeepSeek",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=True,
        parameters=31389569,
        summary=("U-Net with bilinear upsampling, full widths: the upsampled map keeps its channels until the block"),
        published=Published(
            parameters="31.4 M",
            training_time="0:43:49 +/- 25.6 min",
            batch_size=8,
            epochs=30,
            optimizer="Adam (1e-3, wd=1e-5)",
            loss="Dice + BCE (70/30)",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512, 1024),
            bottleneck="1024 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1)",
        ),
        published_for="brain",
        origin=("every statement of model.py, the loss, optimiser, schedule and split occur in it"),
        author_edits=(
            "file extension, mask folder and mask name",
            "smooth 1e-6 added to the Dice metric (both-empty case)",
            "Dice stored as batch means, layout of the Dice sheets",
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="objective.terms",
                published="Dice + BCE (70/30)",
                code="0.7 on BCE, 0.3 on Dice (so also the study's own workbook)",
                consequence="read as printed, the weights would be swapped",
            ),
            Disagreement(
                kind="document-against-code",
                about="data.normalisation",
                published="the preprocessing text says that all images were normalised to [0, 1]",
                code="mean 0.5 and std 0.5 are applied, range [-1, 1]",
                consequence="another input scale than stated",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.output.sigmoid",
                published="final layer Conv2d (64 -> 1), without the '+ Sigmoid' that other columns print",
                code="the model ends in a sigmoid and returns probabilities",
                consequence=("whoever follows the table treats the output as logits and applies a second sigmoid"),
            ),
            Disagreement(
                kind="inside-document",
                about="identity.open_weights",
                published=(
                    "the running text lists DeepSeek R1 among the closed models; the comparison "
                    "table says open source: Yes"
                ),
                code="not decidable from the code",
                consequence="the sheet follows the table",
            ),
        ),
    ),
    recipe=Recipe(
        images=Prepare(
            colour="grey",
            colour_when="before-resize",
            size=(256, 256),
            image_resize="pillow-bilinear",
            mask_resize="pillow-nearest",
            mean=0.5,
            std=0.5,
            arithmetic="unit-first",
            mask_threshold=0.5,
            threshold_when="after-resize",
            mask_type="float32",
        ),
        split=SPLIT_80_10_10,
        net=replace(STANDARD_UNET, up="bilinear", concat="skip-first", mismatch="pad"),
        loss=BCEDice(
            bce=0.7,
            dice=0.3,
            reads="probability",
            dice_over="batch",
            dice_smooth=1.0,
            sizes="equal",
            validation_threshold=None,
        ),
        fit=Fit(
            batch_size=8,
            test_batch_size=None,
            epochs=30,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.001,
            decay=1e-05,
            schedule=None,
            average=None,
            augment=None,
            keep="last",
            epoch_loss="cases",
            own_seed=OwnSeed(seed=42, summary_batch=8, spare_orders=0),
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=original_names(
        encoder=(
            "inc.double_conv down1.maxpool_conv.1.double_conv "
            "down2.maxpool_conv.1.double_conv down3.maxpool_conv.1.double_conv"
        ),
        bottleneck="down4.maxpool_conv.1.double_conv",
        decoder=("up1.conv.double_conv up2.conv.double_conv up3.conv.double_conv up4.conv.double_conv"),
        head="outc",
    ),
)
