"""The pipeline that Gemini 2.5 Pro wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, other_capacity, other_decoder, other_range, samples_of_all_cases

_DICE = replace(common.DICE_OVER_BATCH, reads="sigmoid")

PIPELINE = common.study_pipeline(
    "gemini-2.5-pro",
    name="Gemini 2.5 Pro",
    vendor="Google DeepMind",
    cohort=2025,
    reasoning=True,
    parameters=17_261_825,
    scripts="Modells 2025/Gemini 2.5 pro",
    summary="U-Net with bilinear upsampling, 512-channel bottleneck and decoder blocks with a wider middle layer; "
    "bias-free block convolutions",
    published_for="skin (grey-scale)",
    origin=common.CODE_AND_DICE_ARE_RECORDED,
    author_edits=(
        "mask folder and empty suffix",
        "the sorted listing of the conversation was replaced by an unsorted one that ignores case in the extension",
    ),
    disagreements=(
        against_code(
            "net.bottleneck",
            published="1024 ch",
            code="512 output channels (1024 halved by the bilinear mode); 1024 is the width of the first concatenated "
            "decoder input",
            consequence="a 1024-channel bottleneck would not give the published 17.3 M parameters",
            source="model.py:89",
        ),
        other_decoder(
            code="outputs 256, 128, 64, 64; the published numbers are the middle widths of the decoder blocks",
            consequence="a decoder built from the table is larger",
            source="model.py:90",
        ),
        other_range("main.py:56"),
        other_capacity(code="counted as reasoning, 512-channel bottleneck, 17.26 M parameters", source="model.py:89"),
        samples_of_all_cases("train.py:157"),
    ),
    recipe=Recipe(
        images=replace(common.BILINEAR_MASKS, mean=0.5, std=0.5),
        # A ninth of the nine tenths that are left is a tenth of all.
        split=replace(common.SPLIT_70_10_20, first_size=0.1, second_size=1 / 9),
        net=replace(common.BILINEAR_UNET, bias=False, hidden="half", output="logits"),
        loss=replace(common.BCE_ON_LOGITS, dice=1.0, dice_smooth=1e-6),
        fit=replace(common.FIT, batch_size=8, epochs=25, rate=1e-4, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.down_up_names("double_conv", "maxpool_conv", head="outc.conv"),
)
