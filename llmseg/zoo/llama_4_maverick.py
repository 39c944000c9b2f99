"""The pipeline that LLaMA 4 Maverick wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import BCE_ON_PROBABILITY, SPLIT_80_10_10, original_names
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="case",
    lists="batch",
    smooth=1e-05,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

PIPELINE = Pipeline(
    id="llama-4-maverick",
    card=Card(
        name="LLaMA 4 Maverick",
        vendor="Meta",
        cohort=2025,
        in_study=True,
        reasoning=True,
        open_weights=True,
        parameters=7701825,
        summary=(
            "U-Net with three poolings, batch norm and a sigmoid output; the fourth encoder block is the bottleneck"
        ),
        published=Published(
            parameters="7.7 M",
            training_time="0:12:24 +/- 7.8 min",
            batch_size=32,
            epochs=10,
            optimizer="Adam (1e-3)",
            loss="BCE",
            image_size=None,
            encoder_stages=4,
            decoder_stages=3,
            block="DoubleConv",
            encoder=(64, 128, 256, 512),
            bottleneck="256 -> 512 ch",
            decoder=(256, 128, 64),
            head="Conv2d (64 -> 1) + Sigmoid",
        ),
        published_for="retina",
        origin=(
            "loss, metric, optimiser, split and training functions occur in it; the "
            "published model does not: the conversation gives a four-level U-Net with "
            "bilinear upsampling (align_corners true), widths 64, 128, 256, 512, bottleneck"
            " 512, decoder outputs 256, 128, 64, 64, skips joined as [skip, upsampled] with"
            " zero padding, sigmoid output, 13,394,177 parameters"
        ),
        author_edits=(
            "the model script is byte-identical to the one of qwen-3-235b-no-thinking",
            "file extension, mask folder and mask name",
        ),
        disagreements=(
            Disagreement(
                kind="undocumented",
                about="provenance: origin of the model",
                published="the architecture is presented as LLaMA 4 Maverick's own",
                code=(
                    "the model script is byte-identical to that of the Qwen run without thinking; "
                    "the conversation recorded for LLaMA 4 contains another model (four levels, "
                    "bilinear, 13,394,177 parameters)"
                ),
                consequence=(
                    "as far as the published scripts, the cache files and the table's 7.7 M show, "
                    "the published results belong to another language model's architecture with "
                    "LLaMA 4's training code"
                ),
            ),
            Disagreement(
                kind="document-against-code",
                about="data.normalisation",
                published="the preprocessing text says that all images were normalised to [0, 1]",
                code="mean 0.5 and std 0.5 are applied, range [-1, 1]",
                consequence="another input scale than stated",
            ),
            Disagreement(
                kind="inside-document",
                about="architecture.encoder.stages",
                published="table: 4 encoder stages; text: three stages",
                code="three poolings, the fourth block is the bottleneck",
                consequence="both wordings describe the same code",
            ),
            Disagreement(
                kind="document-against-code",
                about="text: capacity by reasoning class",
                published=(
                    "the closing comparison says that reasoning models settled on 1024-channel "
                    "bottlenecks with about 31 M parameters and that lighter non-reasoning variants"
                    " used 512-channel bottlenecks with about 7-8 M"
                ),
                code="counted as reasoning, 512-channel bottleneck, 7.70 M parameters",
                consequence="the stated link of capacity and reasoning does not hold for this model",
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
        split=SPLIT_80_10_10,
        net=UNet(
            encoder=(64, 128, 256),
            bottleneck=512,
            decoder=(256, 128, 64),
            norm="batch",
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
            output="probability",
        ),
        loss=BCE_ON_PROBABILITY,
        fit=Fit(
            batch_size=32,
            test_batch_size=None,
            epochs=10,
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
        encoder="down1 down2 down3",
        bottleneck="down4",
        up="up3 up2 up1",
        decoder="up_conv3 up_conv2 up_conv1",
        head="final_conv",
    ),
)
