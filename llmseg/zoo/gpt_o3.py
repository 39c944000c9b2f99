"""The pipeline that GPT o3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import colour_images, other_capacity

_DICE = replace(common.DICE_MEAN_OF_BATCH, reads="sigmoid", smooth=1e-7)

PIPELINE = common.study_pipeline(
    "gpt-o3",
    name="GPT o3",
    vendor="OpenAI",
    cohort=2025,
    reasoning=True,
    parameters=7_762_465,
    scripts="Modells 2025/GPT o3",
    summary="U-Net with batch norm at half the usual width (32 to 512)",
    published_for="skin, read as RGB (paths of the other data sets as comments)",
    origin=common.CODE_IS_RECORDED,
    author_edits=(
        "mask folder, mask suffix and search order for masks",
        "images read as RGB and the first layer widened to 3 channels",
        "Dice stored as batch means instead of one value per sample (the older loop is kept as a comment)",
    ),
    disagreements=(
        other_capacity(
            code="a reasoning model with a 512-channel bottleneck and 7.76 M parameters", source="model.py:34"
        ),
        colour_images("7,763,041", "main.py:112"),
    ),
    recipe=Recipe(
        images=common.NEAREST_MASKS,
        split=common.SPLIT_80_10_10,
        net=replace(
            common.STANDARD_UNET,
            encoder=(32, 64, 128, 256),
            bottleneck=512,
            decoder=(256, 128, 64, 32),
            bias=False,
            output="logits",
        ),
        loss=common.BCE_ON_LOGITS,
        # The script's progress bar opens the training loader twice per epoch: one case order is drawn and thrown away.
        fit=replace(
            common.FIT, batch_size=8, epochs=25, rate=1e-3, own_seed=OwnSeed(seed=42, summary_batch=1, spare_orders=1)
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="up4 up3 up2 up1",
        decoder="dec4 dec3 dec2 dec1",
        head="out_conv",
    ),
)

RGB = replace(PIPELINE, id="gpt-o3@rgb", recipe=PIPELINE.recipe.change("images.colour", "rgb"))
"""The state in which the scripts were last published: they read the skin images in colour."""
