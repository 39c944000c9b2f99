"""The pipeline that Gemini 1.5 Pro wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import enlarged_masks, openness, undocumented

PIPELINE = common.study_pipeline(
    "gemini-1.5-pro",
    name="Gemini 1.5 Pro",
    vendor="Google DeepMind",
    cohort=2024,
    parameters=31_042_369,
    scripts="Modells 2024/Gemini 1.5 Pro",
    summary="U-Net whose skips are taken after the pooling, so the decoder ends at half size; the first decoder stage "
    "is upsampled and at once reduced again",
    published_for="retina (other data sets as commented variants)",
    origin="every statement of model.py, the Dice function, loss, optimiser, split and the training step occur in it; "
    "the resizes were given there as fixes of run-time errors",
    author_edits=(
        "separate mask folder and per-data-set file-name rules",
        "Dice values stored per batch instead of one mean",
        "sample figure and loss figure rewritten",
    ),
    disagreements=(
        openness("Gemini 1.5 Pro", text="as open-source", table="No"),
        undocumented(
            "loss.sizes",
            published="image size 256x256",
            code="the network emits 128x128",
            consequence="loss and validation Dice are computed on 128x128 masks",
            source="train.py:40",
        ),
        undocumented(
            "test.sizes",
            published="both called Dice score",
            code="validation at 128x128 against nearest-reduced masks, test at 256x256 after a bilinear resize of the "
            "probabilities",
            consequence="validation and test values are not the same quantity",
            source="train.py:104",
        ),
        undocumented(
            "net.skip_from",
            published="called a U-Net",
            code="skips are taken after the pooling; the first decoder stage is upsampled and reduced again",
            consequence="no skip at full resolution; the first upsampling adds only parameters and smoothing",
            source="model.py:66",
        ),
        enlarged_masks("dataset.py:36"),
    ),
    recipe=Recipe(
        images=replace(common.BILINEAR_MASKS, mask_threshold=0.0),
        split=common.SPLIT_80_10_10,
        # The output has half the size of the image: training and validation reduce the mask, the test
        # enlarges the output.
        net=replace(
            common.STANDARD_UNET, concat="skip-first", skip_from="pooling", mismatch="resize", drawn="ups-first"
        ),
        loss=replace(common.BCE_ON_PROBABILITY, sizes="mask-to-output"),
        fit=replace(common.FIT, batch_size=8, epochs=20, rate=1e-4, epoch_loss="batches"),
        score=replace(common.DICE_OVER_BATCH, smooth=1.0, sizes="mask-to-output"),
        test=replace(common.DICE_OVER_BATCH, smooth=1.0, sizes="output-to-mask"),
    ),
    original_names=common.original_names(
        encoder="enc1 enc2 enc3 enc4",
        bottleneck="bottleneck",
        up="dec4 dec3 dec2 dec1",
        decoder="dec4_conv dec3_conv dec2_conv dec1_conv",
        head="final",
    ),
)
