"""The pipeline that Mistral Medium 3 wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_PROBABILITY, BILINEAR_MASKS, original_names
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
    id="mistral-medium-3",
    card=Card(
        name="Mistral Medium 3",
        vendor="Mistral AI",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=True,
        parameters=13394177,
        summary=(
            "U-Net with bilinear upsampling and a 512-channel bottleneck; layer for layer the network of deepseek-v3"
        ),
        published=Published(
            parameters="13.4 M",
            training_time="0:54:15 +/- 41.8 min",
            batch_size=16,
            epochs=50,
            optimizer="Adam (1e-3)",
            loss="BCE",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512),
            bottleneck="512 -> 512 ch",
            decoder=(512, 256, 128, 64),
            head="1x1 Conv (64 -> 1) + Sigmoid",
        ),
        published_for="retina",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=(
            "mask folder and suffix handling (older rules kept as comments)",
            "file extension",
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
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="512, 256, 128, 64",
                code="256, 128, 64, 64",
                consequence="the published parameter count belongs to the code",
            ),
            Disagreement(
                kind="undocumented",
                about="metric_validation / metric_test",
                published="Dice score, no threshold given",
                code="soft Dice over the flattened batch with smooth 1.0",
                consequence="not comparable with the thresholded pipelines",
            ),
            Disagreement(
                kind="document-against-code",
                about="text: capacity by reasoning class",
                published=(
                    "the closing comparison says that reasoning models settled on 1024-channel "
                    "bottlenecks with about 31 M parameters and that lighter non-reasoning variants"
                    " used 512-channel bottlenecks with about 7-8 M"
                ),
                code="counted as reasoning, 512-channel bottleneck, 13.39 M parameters",
                consequence="the stated link of capacity and reasoning does not hold for this model",
            ),
        ),
    ),
    recipe=Recipe(
        images=BILINEAR_MASKS,
        split=TwoStepSplit(
            first="test",
            first_size=0.2,
            second_size=0.125,
            sizes_are="test_size",
            seed=42,
            order="drawn",
            shuffled=False,
        ),
        net=UNet(
            encoder=(64, 128, 256, 512),
            bottleneck=512,
            decoder=(256, 128, 64, 64),
            norm="batch",
            bias=True,
            up="bilinear",
            hidden="block",
            concat="skip-first",
            skip_from="block",
            pool_last=True,
            pool_bottleneck=False,
            dropout=0.0,
            mismatch="pad",
            drawn="stages",
            output="probability",
        ),
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
            keep="last",
            epoch_loss="cases",
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
        head="outc.conv",
    ),
)
