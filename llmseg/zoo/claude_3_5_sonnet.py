"""The pipeline that Claude 3.5 Sonnet wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo import common
from llmseg.zoo.disagreements import enlarged_masks, openness, soft_dice, undocumented

_DICE = replace(common.DICE_MEAN_OF_BATCH, threshold=None, smooth=1e-5)

PIPELINE = common.study_pipeline(
    "claude-3.5-sonnet",
    name="Claude 3.5 Sonnet",
    vendor="Anthropic",
    cohort=2024,
    parameters=31_042_369,
    scripts="Modells 2024/Claude 3.5 Sonnet",
    summary="standard U-Net with batch norm, four poolings; pooling is the first layer of each down stage",
    published_for="retina (other data sets as commented variants)",
    origin="every statement of model.py, the Dice function, the split, loss and optimiser occur in it",
    author_edits=(
        "separate mask folder and per-data-set file-name rules",
        "numeric sort (BAGLS) replaced by a lexicographic sort",
        "Dice values stored as batch means instead of one value per sample (validation and test)",
        "sample figure and loss figure rewritten",
    ),
    disagreements=(
        openness("Claude 3.5 Sonnet", text="as open-source", table="No"),
        soft_dice(
            consequence="values are lower than a thresholded Dice for unsure predictions; not comparable with the "
            "thresholded pipelines",
            source="train.py:21",
        ),
        undocumented(
            "fit.keep",
            published="not mentioned",
            code="the best checkpoint by validation loss is tested; the only one of the 19 that does so",
            consequence="an advantage over the pipelines that test the last epoch",
            source="main.py:85",
        ),
        enlarged_masks("dataset.py:36"),
    ),
    recipe=Recipe(
        images=replace(common.BILINEAR_MASKS, mask_threshold=0.0),
        split=RandomSplit(calls="twice", train=0.8, validation=0.1),
        net=common.STANDARD_UNET,
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(
            common.FIT,
            batch_size=16,
            epochs=50,
            rate=1e-3,
            keep="lowest-validation-loss",
            epoch_loss="batches",
            own_seed=OwnSeed(seed=42, summary_batch=16, spare_orders=0),
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="inc.conv down1.1.conv down2.1.conv down3.1.conv",
        bottleneck="down4.1.conv",
        up="up1 up2 up3 up4",
        decoder="conv1.conv conv2.conv conv3.conv conv4.conv",
        head="outc",
    ),
)
