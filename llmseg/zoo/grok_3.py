"""The pipeline that Grok 3 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.card import Card
from llmseg.zoo.disagreements import other_capacity
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.published import read_published

_SCRIPTS = "Modells 2025/Grok 3"
_DICE = replace(common.DICE_OVER_BATCH, smooth=1.0)

PIPELINE = Pipeline(
    id="grok-3",
    card=Card(
        name="Grok 3",
        vendor="xAI",
        cohort=2025,
        in_study=True,
        parameters=31_042_369,
        scripts=_SCRIPTS,
        summary="standard U-Net with batch norm and a sigmoid output",
        published=read_published("grok-3"),
        published_for="BAGLS",
        origin=common.CODE_AND_DICE_ARE_RECORDED,
        author_edits=("the exclusion of mask files from the listing",),
        disagreements=(
            other_capacity(
                code="non-reasoning with a 1024-channel bottleneck and 31.04 M parameters",
                source=f"{_SCRIPTS}/model.py:32",
            ),
        ),
    ),
    recipe=Recipe(
        images=common.BILINEAR_MASKS,
        split=replace(common.SPLIT_80_10_10, first_size=0.8, sizes_are="train_size"),
        net=replace(common.STANDARD_UNET, concat="skip-first"),
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=20, rate=1e-3, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="downs.0.double_conv downs.1.double_conv downs.2.double_conv downs.3.double_conv",
        bottleneck="bottleneck.double_conv",
        up="ups.0 ups.2 ups.4 ups.6",
        decoder="ups.1.double_conv ups.3.double_conv ups.5.double_conv ups.7.double_conv",
        head="final_conv",
    ),
)
