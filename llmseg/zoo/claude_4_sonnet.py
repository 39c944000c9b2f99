"""The pipeline that Claude 4 Sonnet wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit, Plateau
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import NEAREST_MASKS, SPLIT_80_10_10, STANDARD_UNET, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=None,
    over="case",
    lists="batch",
    smooth=1e-06,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="claude-4-sonnet",
    card=Card(
        name="Claude 4 Sonnet",
        vendor="Anthropic",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=False,
        parameters=31036481,
        summary=(
            "standard U-Net with batch norm, bias-free block convolutions, transposed "
            "convolutions and channel dropout on the bottleneck output"
        ),
        published=Published(
            parameters="31.0 M",
            training_time="1:30:01 +/- 32.7 min",
            batch_size=8,
            epochs=50,
            optimizer="Adam (1e-4, wd=1e-5)",
            loss="Combined Loss (alpha = 0.5)",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512, 1024),
            bottleneck="1024 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1)",
        ),
        published_for="skin (grey-scale)",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=(
            "mask folder, empty suffix and existence check",
            "file names above the figure's panels",
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="architecture.output.sigmoid",
                published="final layer Conv2d (64 -> 1), without the '+ Sigmoid' that other columns print",
                code="the model ends in a sigmoid and returns probabilities",
                consequence=("whoever follows the table treats the output as logits and applies a second sigmoid"),
            ),
            Disagreement(
                kind="undocumented",
                about="optimizer.scheduler",
                published="not mentioned",
                code=("the learning rate is halved when the validation loss has not improved for more than 5 epochs"),
                consequence=(
                    "the only scheduled pipeline of the 19; the fixed-epoch comparison (120 epochs) is affected"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.dropout",
                published="not mentioned",
                code="channel dropout 0.1 on the bottleneck output",
                consequence="the only pipeline with dropout",
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation / metric_test",
                published="Dice score, no threshold given",
                code="soft Dice: probabilities are used without a threshold",
                consequence="not comparable with the thresholded pipelines",
            ),
        ),
    ),
    recipe=Recipe(
        images=NEAREST_MASKS,
        split=SPLIT_80_10_10,
        net=replace(STANDARD_UNET, bias=False, concat="skip-first", dropout=0.1, mismatch="pad"),
        loss=BCEDice(
            bce=0.5,
            dice=0.5,
            reads="probability",
            dice_over="case",
            dice_smooth=1e-06,
            sizes="equal",
            validation_threshold=None,
        ),
        fit=Fit(
            batch_size=8,
            test_batch_size=None,
            epochs=50,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.0001,
            decay=1e-05,
            schedule=Plateau(factor=0.5, patience=5),
            average=None,
            augment=None,
            keep="last",
            epoch_loss="batches",
            own_seed=None,
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
        up="up1.up up2.up up3.up up4.up",
        head="outc.conv",
    ),
)
