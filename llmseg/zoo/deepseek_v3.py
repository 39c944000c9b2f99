"""The pipeline that DeepSeek V3 wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import SPLIT_80_10_10, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="batch",
    lists="batch",
    smooth=1.0,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="deepseek-v3",
    card=Card(
        name="DeepSeek V3",
        vendor="DeepSeek",
        cohort=2025,
        in_study=True,
        reasoning=False,
        open_weights=True,
        parameters=13394177,
        summary=("U-Net with bilinear upsampling and a 512-channel bottleneck; blocks keep no wider middle layer"),
        published=Published(
            parameters="31.4 M",
            training_time="0:26:34 +/- 16.4 min",
            batch_size=8,
            epochs=25,
            optimizer="Adam (1e-3)",
            loss="BCE + Dice",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512, 512),
            bottleneck="512 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1)",
        ),
        published_for="retina",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=("file extension, mask folder and listing rule",),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="identity.parameters",
                published="31.4 M",
                code="13,394,177",
                consequence=(
                    "more than twice the real size; the published figure equals the DeepSeek R1 "
                    "count (31,389,569), so a copying error is likely; statements on capacity and "
                    "training time are affected"
                ),
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="512, 256, 128, 64",
                code="256, 128, 64, 64",
                consequence="a decoder built from the table is larger than the code's",
            ),
            Disagreement(
                kind="document-against-code",
                about="data.normalisation",
                published="the preprocessing text says that all images were normalised to [0, 1]",
                code="mean 0.5 and std 0.5 are applied, range [-1, 1]",
                consequence="another input scale than stated",
            ),
            Disagreement(
                kind="document-against-code",
                about="text: capacity by reasoning class",
                published=(
                    "the closing comparison says that reasoning models settled on 1024-channel "
                    "bottlenecks with about 31 M parameters and that lighter non-reasoning variants"
                    " used 512-channel bottlenecks with about 7-8 M"
                ),
                code="non-reasoning with a 512-channel bottleneck but 13.39 M parameters",
                consequence="the range 7-8 M does not fit",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.output.sigmoid",
                published="final layer Conv2d (64 -> 1), without the '+ Sigmoid' that other columns print",
                code="the model ends in a sigmoid and returns probabilities",
                consequence=("whoever follows the table treats the output as logits and applies a second sigmoid"),
            ),
            Disagreement(
                kind="inside-document",
                about="identity.open_weights",
                published=(
                    "the running text lists DeepSeek V3 among the closed models; the comparison "
                    "table says open source: Yes"
                ),
                code="not decidable from the code",
                consequence="the sheet follows the table",
            ),
            Disagreement(
                kind="undocumented",
                about="data.image_resize",
                published="images were resized",
                code=("OpenCV bilinear without antialiasing, the other pipelines use an antialiased PIL resize"),
                consequence="inputs differ from the other pipelines' for the same file",
            ),
        ),
    ),
    recipe=Recipe(
        images=Prepare(
            colour="grey",
            colour_when="before-resize",
            size=(256, 256),
            image_resize="opencv-bilinear",
            mask_resize="opencv-nearest",
            mean=0.5,
            std=0.5,
            arithmetic="bytes",
            mask_threshold=0.0,
            threshold_when="before-resize",
            mask_type="float32",
        ),
        split=SPLIT_80_10_10,
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
        loss=BCEDice(
            bce=1.0,
            dice=1.0,
            reads="probability",
            dice_over="batch",
            dice_smooth=1.0,
            sizes="equal",
            validation_threshold=None,
        ),
        fit=Fit(
            batch_size=8,
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
        head="outc.conv",
    ),
)
