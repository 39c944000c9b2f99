"""The pipeline that Gemini 1.5 Flash wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.nets.pooled_skip_unet import PooledSkipUNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo import common
from llmseg.zoo.disagreements import undocumented

PIPELINE = common.study_pipeline(
    "gemini-1.5-flash",
    name="Gemini 1.5 Flash",
    vendor="Google DeepMind",
    cohort=2024,
    in_study=False,
    parameters=16_074_209,
    scripts="Modells 2024/Gemini",
    summary="U-Net with five pooled blocks, skips after the pooling, a bare convolution as bottleneck; logits are "
    "resized to a fixed 256 x 256",
    published_for="BAGLS (never adapted to another data set)",
    origin="none published",
    author_edits=(
        (
            "the folder is named only after the vendor's model family; the study's error workbook lists the ninth 2024 "
            "model as Gemini 1.5 Flash"
        ),
        (
            "the error workbook names several manual fixes (missing return in the encoder block, file-name rules, "
            "transform call)"
        ),
    ),
    disagreements=(
        undocumented(
            "card.in_study",
            published="eight 2024 models are named; this one is not among them",
            code="a ninth 2024 folder is published with the code",
            consequence="not part of the core comparison",
            source="main.py",
        ),
    ),
    recipe=Recipe(
        images=common.GREY_MASKS,
        split=RandomSplit(calls="once", train=0.8, validation=0.1),
        net=PooledSkipUNet(
            encoder=(32, 64, 128, 256, 512),
            bottleneck=1024,
            decoder=(512, 256, 128, 64, 32),
            size=(256, 256),
            output="logits",
        ),
        loss=common.BCE_ON_LOGITS,
        fit=replace(common.FIT, batch_size=16, epochs=2, rate=1e-3, epoch_loss="batches"),
        score=replace(common.DICE_OVER_BATCH, reads="sigmoid", lists="epoch", smooth=1.0),
        test=None,
    ),
    original_names=common.original_names(
        encoder="enc1 enc2 enc3 enc4 enc5",
        bottleneck="bottleneck",
        decoder="upconv5 upconv4 upconv3 upconv2 upconv1",
        head="final_conv",
    ),
)
