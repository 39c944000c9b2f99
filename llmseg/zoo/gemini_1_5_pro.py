"""The pipeline that Gemini 1.5 Pro wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

PIPELINE = Pipeline(
    id="gemini-1.5-pro",
    card=Card(
        name="Gemini 1.5 Pro",
        vendor="Google DeepMind",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=31042369,
        summary=(
            "U-Net whose skips are taken after the pooling, so the decoder ends at half "
            "size; the first decoder stage is upsampled and at once reduced again"
        ),
        published=Published(
            parameters="31,042,369",
            training_time="1066.50 s",
            batch_size=8,
            epochs=20,
            optimizer="Adam (lr=1e-4)",
            loss="BCELoss",
            image_size=(256, 256),
            encoder_stages=4,
            decoder_stages=4,
            block="Conv2d + BatchNorm2d + ReLU x2",
            encoder=(64, 128, 256, 512),
            bottleneck="1024 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin=(
            "every statement of model.py, the Dice function, loss, optimiser, split and the"
            " training step occur in it; the resizes were given there as fixes of run-time "
            "errors"
        ),
        author_edits=(
            "separate mask folder and per-data-set file-name rules",
            "Dice values stored per batch instead of one mean",
            "sample figure and loss figure rewritten",
        ),
        disagreements=(
            Disagreement(
                kind="inside-document",
                about="identity.open_weights",
                published=(
                    "the running text lists Gemini 1.5 Pro as open-source; the comparison table says open source: No"
                ),
                code="not decidable from the code",
                consequence="the sheet follows the table",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.output.size_at_published_input",
                published="image size 256x256",
                code="the network emits 128x128",
                consequence="loss and validation Dice are computed on 128x128 masks",
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation versus metric_test",
                published="both called Dice score",
                code=(
                    "validation at 128x128 against nearest-reduced masks, test at 256x256 after a "
                    "bilinear resize of the probabilities"
                ),
                consequence="validation and test values are not the same quantity",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.skip",
                published="called a U-Net",
                code=("skips are taken after the pooling; the first decoder stage is upsampled and reduced again"),
                consequence=("no skip at full resolution; the first upsampling adds only parameters and smoothing"),
            ),
            Disagreement(
                kind="undocumented",
                about="data.mask_binarisation",
                published="not mentioned",
                code="foreground = any value above 0 after a bilinear resize",
                consequence="targets are slightly enlarged",
            ),
        ),
    ),
    recipe=Recipe(
        images=Prepare(
            colour="grey",
            colour_when="before-resize",
            size=(256, 256),
            image_resize="pillow-bilinear",
            mask_resize="pillow-bilinear",
            mean=0.0,
            std=1.0,
            arithmetic="unit-first",
            mask_threshold=0.0,
            threshold_when="after-resize",
            mask_type="float32",
        ),
        split=SPLIT_80_10_10,
        net=replace(STANDARD_UNET, concat="skip-first", skip_from="pooling", mismatch="resize", drawn="ups-first"),
        loss=BCEDice(
            bce=1.0,
            dice=0.0,
            reads="probability",
            dice_over="batch",
            dice_smooth=1.0,
            sizes="mask-to-output",
            validation_threshold=None,
        ),
        fit=Fit(
            batch_size=8,
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
        score=Dice(
            reads="output",
            threshold=0.5,
            over="batch",
            lists="batch",
            smooth=1.0,
            smoothed="both",
            sizes="mask-to-output",
            mask_threshold=None,
        ),
        test=Dice(
            reads="output",
            threshold=0.5,
            over="batch",
            lists="batch",
            smooth=1.0,
            smoothed="both",
            sizes="output-to-mask",
            mask_threshold=None,
        ),
    ),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="dec4 dec3 dec2 dec1",
        decoder="dec4_conv dec3_conv dec2_conv dec1_conv",
        head="final",
    ),
)
