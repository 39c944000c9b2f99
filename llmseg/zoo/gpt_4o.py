"""The pipeline that GPT-4o wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import openness, undocumented

_DICE = replace(common.DICE_OVER_BATCH, sizes="output-to-mask")

PIPELINE = common.study_pipeline(
    "gpt-4o",
    name="GPT-4o",
    vendor="OpenAI",
    cohort=2024,
    parameters=31_042_369,
    scripts="Modells 2024/GPT4o",
    summary="U-Net whose deepest block is pooled once more before decoding; skips are cut to their top-left part; the "
    "native output is half the input size",
    published_for="retina (other data sets as commented variants)",
    origin="every statement of model.py, the Dice function, loss, optimiser and split occur in it; the crop of the "
    "skips and the resize of the output were given there as fixes of run-time errors",
    author_edits=(
        "separate mask folder and per-data-set file-name rules",
        "storing of Dice values per epoch",
        "loss figure",
    ),
    disagreements=(
        openness("GPT-4o", text="as open-source", table="No"),
        undocumented(
            "net.mismatch",
            published="presented as a U-Net with 5 encoder and 4 decoder stages",
            code="the deepest block is pooled again and every skip is cut to its top-left quarter",
            consequence="skip features and decoder features refer to different image regions; detail from three "
            "quarters of the image never reaches the decoder through a skip",
            source="model.py:70",
        ),
        undocumented(
            "loss.sizes",
            published="image size 256x256",
            code="the network emits 128x128; the probabilities are resized to 256x256 before loss and Dice",
            consequence="boundaries are limited to half resolution",
            source="train.py:29",
        ),
    ),
    recipe=Recipe(
        images=common.BILINEAR_MASKS,
        split=common.SPLIT_80_10_10,
        net=replace(common.STANDARD_UNET, pool_bottleneck=True, mismatch="crop", drawn="blocks-first"),
        loss=replace(common.BCE_ON_PROBABILITY, sizes="output-to-mask"),
        fit=replace(common.FIT, batch_size=8, epochs=25, rate=1e-4),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="encoder.0 encoder.1 encoder.2 encoder.3",
        bottleneck="encoder.4",
        up="upconv.0 upconv.1 upconv.2 upconv.3",
        decoder="decoder.0 decoder.1 decoder.2 decoder.3",
        head="final_conv",
    ),
)
