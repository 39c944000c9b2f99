"""The pipeline that Bing Microsoft Copilot wrote."""

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
    id="bing-copilot",
    card=Card(
        name="Bing Microsoft Copilot",
        vendor="Microsoft",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=6147659,
        summary=(
            "plain encoder-decoder without skips and without batch norm; the last decoder "
            "stage ends in a relu at one channel, directly under the sigmoid"
        ),
        published=Published(
            parameters="6,147,659",
            training_time="497.04 s",
            batch_size=16,
            epochs=25,
            optimizer="Adam (lr=1e-4)",
            loss="BCELoss",
            image_size=(256, 256),
            encoder_stages=4,
            decoder_stages=4,
            block="Conv2d + ReLU x2",
            encoder=(64, 128, 256, 512),
            bottleneck="512 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin=(
            "does not contain the published pipeline: its models are 1024-channel U-Nets "
            "without batch norm and with concatenated skips that return logits, trained "
            "with BCE with logits at lr 1e-3 and scored with a sigmoid and a 0.5 threshold;"
            " the last model given there cannot run (its first decoder block expects 1536 "
            "channels and receives 1024)"
        ),
        author_edits=(
            ("unknown: the origin of the published model, loss, learning rate and metric is not documented"),
            "separate mask folder and per-data-set file-name rules",
            "test function and sample figure",
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="512, 256, 128, 64",
                code="256, 128, 64, 1 (the published numbers are the inputs of the stages)",
                consequence="the code reduces to one channel in its last transposed convolution",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.head",
                published="Conv2d(64, 1, 1)",
                code="no 1x1 convolution; relu output under the sigmoid",
                consequence="probabilities are never below 0.5; background can never be fitted",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.bottleneck",
                published="bottleneck layer with 512 channels",
                code="no bottleneck block",
                consequence="no processing at the lowest resolution",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.skip",
                published="called a U-Net",
                code="no skip connections at all",
                consequence="not a U-Net",
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation / metric_test",
                published="Dice score, no threshold given",
                code="soft Dice over the flattened batch with smooth 1.0",
                consequence=(
                    "with p >= 0.5 everywhere the value is bounded far below 1: at most 2F / (F + F"
                    " + 0.5 * (M - F)) for F foreground pixels of M"
                ),
            ),
            Disagreement(
                kind="document-against-code",
                about="results.training_loss",
                published="no convergence put down to underfitting or optimisation",
                code="loss is bounded below by ln 2 times the background fraction",
                consequence="the flat curve at about 0.69 has a structural cause",
            ),
            Disagreement(
                kind="undocumented",
                about="provenance.recorded_conversation",
                published=("pipelines are said to be the models' own code with errors fixed by feeding them back"),
                code=(
                    "model, loss, learning rate and metric of the published code do not occur in "
                    "the conversation published beside it"
                ),
                consequence="the result may not represent the named model",
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
            norm="none",
            skips="none",
            head=False,
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
        encoder="encoder1 encoder2 encoder3 encoder4",
        decoder="decoder1 decoder2 decoder3 decoder4",
    ),
)
