"""The pipeline that Gemini 2.5 Pro wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="sigmoid",
    threshold=0.5,
    over="batch",
    lists="batch",
    smooth=1e-06,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="gemini-2.5-pro",
    card=Card(
        name="Gemini 2.5 Pro",
        vendor="Google DeepMind",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=False,
        parameters=17261825,
        summary=(
            "U-Net with bilinear upsampling, 512-channel bottleneck and decoder blocks with"
            " a wider middle layer; bias-free block convolutions"
        ),
        published=Published(
            parameters="17.3 M",
            training_time="0:29:21 +/- 18.1 min",
            batch_size=8,
            epochs=25,
            optimizer="Adam (1e-4)",
            loss="BCE + Dice",
            image_size=None,
            encoder_stages=4,
            decoder_stages=4,
            block="DoubleConv",
            encoder=(64, 128, 256, 512),
            bottleneck="1024 ch",
            decoder=(512, 256, 128, 64),
            head="Conv2d (64 -> 1)",
        ),
        published_for="skin (grey-scale)",
        origin=(
            "every statement of model.py, the loss, optimiser, schedule and split occur in it; also the Dice function"
        ),
        author_edits=(
            "mask folder and empty suffix",
            (
                "the sorted listing of the conversation was replaced by an unsorted one that "
                "ignores case in the extension"
            ),
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="architecture.bottleneck",
                published="1024 ch",
                code=(
                    "512 output channels (1024 halved by the bilinear mode); 1024 is the width of "
                    "the first concatenated decoder input"
                ),
                consequence="a 1024-channel bottleneck would not give the published 17.3 M parameters",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="512, 256, 128, 64",
                code=("outputs 256, 128, 64, 64; the published numbers are the middle widths of the decoder blocks"),
                consequence="a decoder built from the table is larger",
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
                code="counted as reasoning, 512-channel bottleneck, 17.26 M parameters",
                consequence="the stated link of capacity and reasoning does not hold for this model",
            ),
            Disagreement(
                kind="undocumented",
                about="outputs.figures",
                published="sample figure of the test set asked for",
                code="samples are drawn from the whole data set",
                consequence="the figure may show training images",
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
            mean=0.5,
            std=0.5,
            arithmetic="unit-first",
            mask_threshold=0.5,
            threshold_when="after-resize",
            mask_type="float32",
        ),
        split=TwoStepSplit(
            first="test",
            first_size=0.1,
            second_size=1 / 9,
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
            bias=False,
            up="bilinear",
            hidden="half",
            concat="skip-first",
            skip_from="block",
            pool_last=True,
            pool_bottleneck=False,
            dropout=0.0,
            mismatch="pad",
            drawn="stages",
            output="logits",
        ),
        loss=BCEDice(
            bce=1.0,
            dice=1.0,
            reads="logits",
            dice_over="batch",
            dice_smooth=1e-06,
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
            rate=0.0001,
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
