"""The pipeline that Qwen 3 235B without thinking wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Card, Disagreement
from llmseg.zoo.common import BCE_ON_PROBABILITY, SPLIT_80_10_10, original_names
from llmseg.zoo.pipeline import Pipeline

PIPELINE = Pipeline(
    id="qwen-3-235b-no-thinking",
    card=Card(
        name="Qwen 3 235B without thinking",
        vendor="Alibaba (Qwen)",
        cohort=2025,
        in_study=False,
        reasoning=False,
        open_weights=True,
        parameters=7701825,
        summary=(
            "U-Net with three poolings, batch norm and a sigmoid output; the fourth encoder block is the bottleneck"
        ),
        published=None,
        published_for="brain",
        origin=(
            "every statement of model.py occurs in it; the training and main scripts cannot"
            " be compared because the record interleaves line numbers"
        ),
        author_edits=("file extension, mask folder and suffix",),
        disagreements=(
            Disagreement(
                kind="undocumented",
                about="identity",
                published="eleven 2025 models are named; this run is not among them",
                code="a twelfth 2025 folder is published with the code",
                consequence=("not part of the core comparison; its model script was also used for LLaMA 4 Maverick"),
            ),
            Disagreement(
                kind="undocumented",
                about="data.image_resize",
                published="all images are said to be resized",
                code="no resize; all images of a batch must have one size, a multiple of 8",
                consequence="works only on data with one native size",
            ),
        ),
    ),
    recipe=Recipe(
        images=Prepare(
            colour="grey",
            colour_when="before-resize",
            size=None,
            image_resize="pillow-bilinear",
            mask_resize="pillow-bilinear",
            mean=0.0,
            std=1.0,
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
            batch_size=16,
            test_batch_size=None,
            epochs=30,
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
        score=Dice(
            reads="output",
            threshold=0.5,
            over="batch",
            lists="batch",
            smooth=1e-06,
            smoothed="both",
            sizes="equal",
            mask_threshold=None,
        ),
        test=Dice(
            reads="output",
            threshold=0.5,
            over="case",
            lists="case",
            smooth=1e-06,
            smoothed="both",
            sizes="equal",
            mask_threshold=None,
        ),
    ),
    original_names=original_names(
        encoder="down1 down2 down3",
        bottleneck="down4",
        up="up3 up2 up1",
        decoder="up_conv3 up_conv2 up_conv1",
        head="final_conv",
    ),
)
