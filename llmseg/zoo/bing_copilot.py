"""The pipeline that Bing Microsoft Copilot wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.nets.encoder_decoder import EncoderDecoder
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, no_bottleneck, other_decoder, soft_dice, undocumented

PIPELINE = common.study_pipeline(
    "bing-copilot",
    name="Bing Microsoft Copilot",
    vendor="Microsoft",
    cohort=2024,
    parameters=6_147_659,
    scripts="Modells 2024/Bing Microsoft Copilot",
    summary="plain encoder-decoder without skips and without batch norm; the last decoder stage ends in a relu at one "
    "channel, directly under the sigmoid",
    published_for="retina (other data sets as commented variants)",
    origin="does not contain the published pipeline: its models are 1024-channel U-Nets without batch norm and with "
    "concatenated skips that return logits, trained with BCE with logits at lr 1e-3 and scored with a sigmoid and a "
    "0.5 threshold; the last model given there cannot run (its first decoder block expects 1536 channels and receives "
    "1024)",
    author_edits=(
        "unknown: the origin of the published model, loss, learning rate and metric is not documented",
        "separate mask folder and per-data-set file-name rules",
        "test function and sample figure",
    ),
    disagreements=(
        other_decoder(
            code="256, 128, 64, 1 (the published numbers are the inputs of the stages)",
            consequence="the code reduces to one channel in its last transposed convolution",
            source="model.py:12",
        ),
        against_code(
            "net.head",
            published="Conv2d(64, 1, 1)",
            code="no 1x1 convolution; relu output under the sigmoid",
            consequence="probabilities are never below 0.5; background can never be fitted",
            source="model.py:45",
        ),
        no_bottleneck(512, "model.py:40"),
        undocumented(
            "net.skips",
            published="called a U-Net",
            code="no skip connections at all",
            consequence="not a U-Net",
            source="model.py:41",
        ),
        soft_dice(
            code="soft Dice over the flattened batch with smooth 1.0",
            consequence="with p >= 0.5 everywhere the value is bounded far below 1: at most 2F / (F + F + 0.5 * (M - "
            "F)) for F foreground pixels of M",
            source="train.py:71",
        ),
        against_code(
            "loss",
            published="no convergence put down to underfitting or optimisation",
            code="loss is bounded below by ln 2 times the background fraction",
            consequence="the flat curve at about 0.69 has a structural cause",
            source="model.py:31",
        ),
        undocumented(
            "card.origin",
            published="pipelines are said to be the models' own code with errors fixed by feeding them back",
            code="model, loss, learning rate and metric of the published code do not occur in the conversation "
            "published beside it",
            consequence="the result may not represent the named model",
            source="Bing copilot chat.json",
        ),
    ),
    recipe=Recipe(
        images=replace(common.NEAREST_MASKS, mask_threshold=None),
        split=common.SPLIT_80_10_10,
        net=EncoderDecoder(
            encoder=(64, 128, 256, 512),
            decoder=(256, 128, 64, 1),
            norm="none",
            skips="none",
            head=False,  # the last stage ends in a ReLU, under the sigmoid
            output="probability",
        ),
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=16, epochs=25, rate=1e-4),
        score=common.SOFT_DICE_OVER_BATCH,
        test=common.SOFT_DICE_OVER_BATCH,
    ),
    original_names=common.original_names(
        encoder="encoder1 encoder2 encoder3 encoder4", decoder="decoder1 decoder2 decoder3 decoder4"
    ),
)
