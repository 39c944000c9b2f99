"""The pipeline that GitHub Copilot wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.nets.encoder_decoder import EncoderDecoder
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_PROBABILITY, SPLIT_80_10_10, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=None,
    over="batch",
    lists="batch",
    smooth=1.0,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="github-copilot",
    card=Card(
        name="GitHub Copilot",
        vendor="GitHub (Microsoft)",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=6153297,
        summary=(
            "encoder-decoder with additive skips taken after the pooling; the last decoder "
            "stage already works on a single channel"
        ),
        published=Published(
            parameters="6,153,297",
            training_time="184.16 s",
            batch_size=16,
            epochs=25,
            optimizer="Adam (lr=1e-4)",
            loss="BCELoss",
            image_size=(128, 128),
            encoder_stages=4,
            decoder_stages=4,
            block="Conv2d + BatchNorm2d + ReLU x2",
            encoder=(64, 128, 256, 512),
            bottleneck="512 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="skin (grey-scale; other data sets as commented variants)",
        origin=("every statement of model.py, the Dice function, loss, optimiser and split occur in it"),
        author_edits=(
            "separate mask folder and per-data-set file-name rules",
            "timing",
            "loss figure",
            "model summary",
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="512, 256, 128, 64",
                code="256, 128, 64, 1 (the published numbers are the inputs of the stages)",
                consequence=(
                    "a decoder built from the table keeps 64 channels at full size; the code "
                    "squeezes to one channel before its last 3x3 convolution"
                ),
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.head",
                published="Conv2d(64, 1, 1)",
                code="1x1 convolution from 1 to 1 channel after a one-channel stage with relu",
                consequence=(
                    "one-sided probabilities: the output cannot go beyond sigmoid(bias) on one "
                    "side; very slow convergence"
                ),
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.bottleneck",
                published="bottleneck layer with 512 channels",
                code=("no bottleneck block; the pooled 512-channel output of encoder block 4 is decoded directly"),
                consequence="no processing at the lowest resolution",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.skip",
                published="called a U-Net",
                code="additive skips from pooled features; none at full resolution",
                consequence="fine detail is lost",
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation / metric_test",
                published="Dice score, no threshold given",
                code="soft Dice over the flattened batch with smooth 1.0 on grey masks",
                consequence="not comparable with thresholded Dice",
            ),
            Disagreement(
                kind="document-against-code",
                about="results.training_loss",
                published="slow loss reduction put down to underfitting or optimisation",
                code="the one-channel relu head limits the reachable probabilities",
                consequence="the poor convergence has a structural cause",
            ),
        ),
    ),
    recipe=Recipe(
        images=Prepare(
            colour="grey",
            colour_when="before-resize",
            size=(128, 128),
            image_resize="pillow-bilinear",
            mask_resize="pillow-bilinear",
            mean=0.0,
            std=1.0,
            arithmetic="unit-first",
            mask_threshold=None,
            threshold_when="after-resize",
            mask_type="float32",
        ),
        split=SPLIT_80_10_10,
        net=EncoderDecoder(
            encoder=(64, 128, 256, 512),
            decoder=(256, 128, 64, 1),
            norm="batch",
            skips="add",
            head=True,
            output="probability",
        ),
        loss=BCE_ON_PROBABILITY,
        fit=Fit(
            batch_size=16,
            test_batch_size=None,
            epochs=25,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.0001,
            decay=0.0,
            schedule=None,
            average=None,
            augment=None,
            keep="last",
            epoch_loss="cases",
            own_seed=None,
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=original_names(
        encoder="encoder.0 encoder.1 encoder.2 encoder.3",
        decoder="decoder.0 decoder.1 decoder.2 decoder.3",
        head="decoder.3.6",
    ),
)
