"""The pipeline that GPT-4o wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BILINEAR_MASKS, SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="batch",
    lists="batch",
    smooth=1e-06,
    smoothed="both",
    sizes="output-to-mask",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="gpt-4o",
    card=Card(
        name="GPT-4o",
        vendor="OpenAI",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=31042369,
        summary=(
            "U-Net whose deepest block is pooled once more before decoding; skips are cut "
            "to their top-left part; the native output is half the input size"
        ),
        published=Published(
            parameters="31,042,369",
            training_time="949.33 s",
            batch_size=8,
            epochs=25,
            optimizer="Adam (lr=1e-4)",
            loss="BCELoss",
            image_size=(256, 256),
            encoder_stages=5,
            decoder_stages=4,
            block="Conv2d + BatchNorm2d + ReLU x2",
            encoder=(64, 128, 256, 512, 1024),
            bottleneck="1024 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin=(
            "every statement of model.py, the Dice function, loss, optimiser and split "
            "occur in it; the crop of the skips and the resize of the output were given "
            "there as fixes of run-time errors"
        ),
        author_edits=(
            "separate mask folder and per-data-set file-name rules",
            "storing of Dice values per epoch",
            "loss figure",
        ),
        disagreements=(
            Disagreement(
                kind="inside-document",
                about="identity.open_weights",
                published=("the running text lists GPT-4o as open-source; the comparison table says open source: No"),
                code="not decidable from the code",
                consequence="the sheet follows the table",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.size_mismatch / skip",
                published="presented as a U-Net with 5 encoder and 4 decoder stages",
                code=("the deepest block is pooled again and every skip is cut to its top-left quarter"),
                consequence=(
                    "skip features and decoder features refer to different image regions; detail "
                    "from three quarters of the image never reaches the decoder through a skip"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.output.size_at_published_input",
                published="image size 256x256",
                code=("the network emits 128x128; the probabilities are resized to 256x256 before loss and Dice"),
                consequence="boundaries are limited to half resolution",
            ),
        ),
    ),
    recipe=Recipe(
        images=BILINEAR_MASKS,
        split=SPLIT_80_10_10,
        net=replace(STANDARD_UNET, pool_bottleneck=True, mismatch="crop", drawn="blocks-first"),
        loss=BCEDice(
            bce=1.0,
            dice=0.0,
            reads="probability",
            dice_over="batch",
            dice_smooth=1.0,
            sizes="output-to-mask",
            validation_threshold=None,
        ),
        fit=Fit(
            batch_size=8,
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
        bottleneck="encoder.4",
        up="upconv.0 upconv.1 upconv.2 upconv.3",
        decoder="decoder.0 decoder.1 decoder.2 decoder.3",
        head="final_conv",
    ),
)
