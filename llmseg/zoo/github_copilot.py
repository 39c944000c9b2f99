"""The pipeline that GitHub Copilot wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.nets.encoder_decoder import EncoderDecoder
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, no_bottleneck, other_decoder, soft_dice, undocumented

PIPELINE = common.study_pipeline(
    "github-copilot",
    name="GitHub Copilot",
    vendor="GitHub (Microsoft)",
    cohort=2024,
    parameters=6_153_297,
    scripts="Modells 2024/Copilot",
    summary="encoder-decoder with additive skips taken after the pooling; the last decoder stage already works on a "
    "single channel",
    published_for="skin (grey-scale; other data sets as commented variants)",
    origin="every statement of model.py, the Dice function, loss, optimiser and split occur in it",
    author_edits=("separate mask folder and per-data-set file-name rules", "timing", "loss figure", "model summary"),
    disagreements=(
        other_decoder(
            code="256, 128, 64, 1 (the published numbers are the inputs of the stages)",
            consequence="a decoder built from the table keeps 64 channels at full size; the code squeezes to one "
            "channel before its last 3x3 convolution",
            source="model.py:15",
        ),
        against_code(
            "net.head",
            published="Conv2d(64, 1, 1)",
            code="1x1 convolution from 1 to 1 channel after a one-channel stage with relu",
            consequence="one-sided probabilities: the output cannot go beyond sigmoid(bias) on one side; very slow "
            "convergence",
            source="model.py:42",
        ),
        no_bottleneck(
            512,
            code="no bottleneck block; the pooled 512-channel output of encoder block 4 is decoded directly",
            source="model.py:50",
        ),
        undocumented(
            "net.skips",
            published="called a U-Net",
            code="additive skips from pooled features; none at full resolution",
            consequence="fine detail is lost",
            source="model.py:51",
        ),
        soft_dice(
            code="soft Dice over the flattened batch with smooth 1.0 on grey masks",
            consequence="not comparable with thresholded Dice",
            source="train.py:16",
        ),
        against_code(
            "loss",
            published="slow loss reduction put down to underfitting or optimisation",
            code="the one-channel relu head limits the reachable probabilities",
            consequence="the poor convergence has a structural cause",
            source="model.py:18",
        ),
    ),
    recipe=Recipe(
        images=replace(common.GREY_MASKS, size=(128, 128)),
        split=common.SPLIT_80_10_10,
        net=EncoderDecoder(
            encoder=(64, 128, 256, 512),
            decoder=(256, 128, 64, 1),
            norm="batch",
            skips="add",
            head=True,
            output="probability",
        ),
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=25, rate=1e-4),
        score=common.SOFT_DICE_OVER_BATCH,
        test=common.SOFT_DICE_OVER_BATCH,
    ),
    original_names=common.original_names(
        encoder="encoder.0 encoder.1 encoder.2 encoder.3",
        decoder="decoder.0 decoder.1 decoder.2 decoder.3",
        head="decoder.3.6",
    ),
)
