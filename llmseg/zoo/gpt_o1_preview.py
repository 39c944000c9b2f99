"""The pipeline that GPT-o1 Preview wrote."""

from __future__ import annotations

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
    smooth=1e-06,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="gpt-o1-preview",
    card=Card(
        name="GPT-o1 Preview",
        vendor="OpenAI",
        cohort=2024,
        in_study=True,
        reasoning=True,
        open_weights=False,
        parameters=31042369,
        summary="standard U-Net with batch norm, four poolings",
        published=Published(
            parameters="31,042,369",
            training_time="780.13 s",
            batch_size=16,
            epochs=10,
            optimizer="Adam (lr=1e-4)",
            loss="BCELoss",
            image_size=(256, 256),
            encoder_stages=4,
            decoder_stages=4,
            block="Double Conv (Conv2d + BatchNorm + ReLU x2)",
            encoder=(64, 128, 256, 512, 1024),
            bottleneck="1024 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin="every statement of model.py and train.py occurs in it",
        author_edits=(
            "per-data-set file-name rules",
            "batch dimension in the model summary call",
        ),
        disagreements=(
            Disagreement(
                kind="inside-document",
                about="identity.open_weights",
                published=(
                    "the running text lists GPT-o1 Preview as open-source; the comparison table says open source: No"
                ),
                code="not decidable from the code",
                consequence="the sheet follows the table",
            ),
        ),
    ),
    recipe=Recipe(
        images=BILINEAR_MASKS,
        split=TwoStepSplit(
            first="held-out",
            first_size=0.2,
            second_size=0.5,
            sizes_are="test_size",
            seed=42,
            order="sorted",
            shuffled=False,
        ),
        net=STANDARD_UNET,
        loss=BCE_ON_PROBABILITY,
        fit=Fit(
            batch_size=16,
            test_batch_size=None,
            epochs=10,
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
        encoder="conv1 conv2 conv3 conv4",
        bottleneck="conv5",
        up="up6 up7 up8 up9",
        decoder="conv6 conv7 conv8 conv9",
        head="conv10",
    ),
)
