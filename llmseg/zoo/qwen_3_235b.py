"""The pipeline that Qwen 3 235B wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, large_test_split, undocumented

PIPELINE = common.study_pipeline(
    "qwen-3-235b",
    name="Qwen 3 235B",
    vendor="Alibaba (Qwen)",
    cohort=2025,
    reasoning=True,
    open_weights=True,
    parameters=31_042_369,
    scripts="Modells 2025/Qwen 3_235B",
    summary="standard U-Net with batch norm; the block called CBR is the usual conv, norm, relu twice",
    published_for="BAGLS",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=(
        "the exclusion of mask files from the listing",
        "test: batch means instead of one value per sample (validation was left per sample)",
    ),
    disagreements=(
        large_test_split("main.py:30"),
        undocumented(
            "test.lists",
            published="both called Dice score",
            code="validation stores one value per sample, test one mean per batch",
            consequence="spread and counts of the two lists differ; medians and box plots are not comparable",
            source="train.py:59",
        ),
        against_code(
            "card.published.block",
            published="uniquely uses CBR blocks",
            code="conv, norm, relu twice, as in the DoubleConv blocks of the others",
            consequence="a difference in name only",
            source="model.py:10",
        ),
        against_code(
            "card.published.encoder",
            published="1, 64, ... and 1024, 512, ...",
            code="the 1 is the input channel, the 1024 the bottleneck",
            consequence="the lists are not on the scale of the other columns",
            source="model.py:21",
        ),
    ),
    recipe=Recipe(
        images=common.NEAREST_MASKS,
        split=common.SPLIT_70_10_20,
        net=replace(common.STANDARD_UNET, output="logits"),
        loss=common.BCE_ON_LOGITS,
        fit=replace(common.FIT, batch_size=16, epochs=20, rate=1e-3),
        score=replace(common.DICE_PER_CASE, reads="sigmoid"),
        test=replace(common.DICE_MEAN_OF_BATCH, reads="sigmoid"),
    ),
    original_names=common.original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="upconv4 upconv3 upconv2 upconv1",
        decoder="dec4 dec3 dec2 dec1",
        head="final_conv",
    ),
)
