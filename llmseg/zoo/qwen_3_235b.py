"""The pipeline that Qwen 3 235B wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_LOGITS, NEAREST_MASKS, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

PIPELINE = Pipeline(
    id="qwen-3-235b",
    card=Card(
        name="Qwen 3 235B",
        vendor="Alibaba (Qwen)",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=True,
        parameters=31042369,
        summary=("standard U-Net with batch norm; the block called CBR is the usual conv, norm, relu twice"),
        published=Published(
            parameters="31.0 M",
            training_time="0:22:48 +/- 11.3 min",
            batch_size=16,
            epochs=20,
            optimizer="Adam (1e-3)",
            loss="BCEWithLogits",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="CBR",
            encoder=(1, 64, 128, 256, 512),
            bottleneck="512 -> 1024 ch",
            decoder=(1024, 512, 256, 128, 64),
            head="1x1 Conv (64 -> 1)",
        ),
        published_for="BAGLS",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=(
            "the exclusion of mask files from the listing",
            ("test: batch means instead of one value per sample (validation was left per sample)"),
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="split.nominal",
                published="every data set is said to be split 80 % / 10 % / 10 %",
                code="70 % / 10 % / 20 %",
                consequence=(
                    "less training data and twice the test data of the other pipelines; with the "
                    "same listing the test part is exactly family A's validation plus test parts, "
                    "and the validation part lies inside family A's training part"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation versus metric_test",
                published="both called Dice score",
                code="validation stores one value per sample, test one mean per batch",
                consequence=("spread and counts of the two lists differ; medians and box plots are not comparable"),
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.block",
                published="uniquely uses CBR blocks",
                code="conv, norm, relu twice, as in the DoubleConv blocks of the others",
                consequence="a difference in name only",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture encoder and decoder channel lists",
                published="1, 64, ... and 1024, 512, ...",
                code="the 1 is the input channel, the 1024 the bottleneck",
                consequence="the lists are not on the scale of the other columns",
            ),
        ),
    ),
    recipe=Recipe(
        images=NEAREST_MASKS,
        split=TwoStepSplit(
            first="test",
            first_size=0.2,
            second_size=0.125,
            sizes_are="test_size",
            seed=42,
            order="drawn",
            shuffled=False,
        ),
        net=replace(STANDARD_UNET, output="logits"),
        loss=BCE_ON_LOGITS,
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
            epoch_loss="cases",
            own_seed=None,
        ),
        score=Dice(
            reads="sigmoid",
            threshold=0.5,
            over="case",
            lists="case",
            smooth=1e-06,
            smoothed="both",
            sizes="equal",
            mask_threshold=None,
        ),
        test=Dice(
            reads="sigmoid",
            threshold=0.5,
            over="case",
            lists="batch",
            smooth=1e-06,
            smoothed="both",
            sizes="equal",
            mask_threshold=None,
        ),
    ),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="dec4 dec3 dec2 dec1",
        head="final_conv",
    ),
)
