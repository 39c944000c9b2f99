"""The pipeline that GPT-4 wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_LOGITS, GREY_MASKS, SPLIT_80_10_10, original_names
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
    id="gpt-4",
    card=Card(
        name="GPT-4",
        vendor="OpenAI",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=False,
        parameters=7696193,
        summary=("U-Net with three poolings, no batch norm; the fourth encoder block is the bottleneck"),
        published=Published(
            parameters="7,696,193",
            training_time="1474.03 s",
            batch_size=16,
            epochs=25,
            optimizer="Adam (lr=0.001)",
            loss="BCEWithLogitsLoss",
            image_size=(256, 256),
            encoder_stages=4,
            decoder_stages=3,
            block="Double Conv (Conv2d + ReLU x2)",
            encoder=(64, 128, 256, 512),
            bottleneck="512 channels",
            decoder=(512, 256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin=(
            "every statement of model.py and the optimiser, loss, batch size, epochs and "
            "split of main.py occur in it; the Dice function and the code that stores Dice "
            "values do not"
        ),
        author_edits=(
            "separate mask folder and per-data-set file-name rules",
            (
                "the Dice function: the conversation's version applied a sigmoid, thresholded "
                "the probability at 0.5, used smooth 1.0, and averaged per sample; the "
                "published one thresholds the raw logits at 0.5 over the whole batch with "
                "smooth 1e-6 (the same function as in the GPT-4o pipeline)"
            ),
            "storing of Dice values, loss figure, sample figure, timing",
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="decoder channels 512, 256, 128, 64 with 3 decoder stages",
                code=(
                    "three decoder stages with outputs 256, 128, 64; 512 is only the width of the "
                    "first concatenated input"
                ),
                consequence=(
                    "the table's list has one width more than stages; its own parameter count "
                    "belongs to the three-stage network"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation / metric_test threshold",
                published="Dice named as the key metric, no threshold given",
                code="raw logits are compared with 0.5, i.e. a probability of 0.6225",
                consequence=(
                    "predictions are smaller than at probability 0.5; published validation and test"
                    " Dice are not on the scale of the other pipelines; the recorded conversation "
                    "did it with a sigmoid"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="data.mask_binarisation",
                published=(
                    "the generation request asks for binary masks; the document does not say how they are made binary"
                ),
                code="masks stay grey after the bilinear resize, in the loss and in the Dice",
                consequence="soft targets along edges; a perfect prediction cannot reach Dice 1",
            ),
        ),
    ),
    recipe=Recipe(
        images=GREY_MASKS,
        split=SPLIT_80_10_10,
        net=UNet(
            encoder=(64, 128, 256),
            bottleneck=512,
            decoder=(256, 128, 64),
            norm="none",
            bias=True,
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
            batch_size=16,
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
            own_seed=None,
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=original_names(
        encoder="down1.double_conv down2.double_conv down3.double_conv",
        bottleneck="down4.double_conv",
        up="up1 up2 up3",
        decoder="conv1.double_conv conv2.double_conv conv3.double_conv",
        head="final",
    ),
)
