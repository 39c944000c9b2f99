"""The pipeline that Claude 3.5 Sonnet wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit, OwnSeed
from llmseg.recipe.images import Prepare
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_PROBABILITY, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=None,
    over="case",
    lists="batch",
    smooth=1e-05,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="claude-3.5-sonnet",
    card=Card(
        name="Claude 3.5 Sonnet",
        vendor="Anthropic",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=31042369,
        summary=("standard U-Net with batch norm, four poolings; pooling is the first layer of each down stage"),
        published=Published(
            parameters="31,042,369",
            training_time="5285.17 s",
            batch_size=16,
            epochs=50,
            optimizer="Adam (lr=0.001)",
            loss="BCELoss",
            image_size=(256, 256),
            encoder_stages=4,
            decoder_stages=4,
            block="Double Conv (Conv2d + BatchNorm2d + ReLU x2)",
            encoder=(64, 128, 256, 512, 1024),
            bottleneck="1024 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin=("every statement of model.py, the Dice function, the split, loss and optimiser occur in it"),
        author_edits=(
            "separate mask folder and per-data-set file-name rules",
            "numeric sort (BAGLS) replaced by a lexicographic sort",
            ("Dice values stored as batch means instead of one value per sample (validation and test)"),
            "sample figure and loss figure rewritten",
        ),
        disagreements=(
            Disagreement(
                kind="inside-document",
                about="identity.open_weights",
                published=(
                    "the running text lists Claude 3.5 Sonnet as open-source; the comparison table says open source: No"
                ),
                code="not decidable from the code",
                consequence="the sheet follows the table",
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation / metric_test",
                published="Dice score, no threshold given",
                code="soft Dice: probabilities are used without a threshold",
                consequence=(
                    "values are lower than a thresholded Dice for unsure predictions; not "
                    "comparable with the thresholded pipelines"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="bookkeeping.checkpoint_selection",
                published="not mentioned",
                code=("the best checkpoint by validation loss is tested; the only one of the 19 that does so"),
                consequence="an advantage over the pipelines that test the last epoch",
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
        split=RandomSplit(
            calls="twice",
            train=0.8,
            validation=0.1,
        ),
        net=STANDARD_UNET,
        loss=BCE_ON_PROBABILITY,
        fit=Fit(
            batch_size=16,
            test_batch_size=None,
            epochs=50,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.001,
            decay=0.0,
            schedule=None,
            average=None,
            augment=None,
            keep="lowest-validation-loss",
            epoch_loss="batches",
            own_seed=OwnSeed(seed=42, summary_batch=16, spare_orders=0),
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=original_names(
        encoder="inc.conv down1.1.conv down2.1.conv down3.1.conv",
        bottleneck="down4.1.conv",
        up="up1 up2 up3 up4",
        decoder="conv1.conv conv2.conv conv3.conv conv4.conv",
        head="outc",
    ),
)
