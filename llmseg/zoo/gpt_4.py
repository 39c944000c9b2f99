"""The pipeline that GPT-4 wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, undocumented

PIPELINE = common.study_pipeline(
    "gpt-4",
    name="GPT-4",
    vendor="OpenAI",
    cohort=2024,
    parameters=7_696_193,
    scripts="Modells 2024/GPT4",
    summary="U-Net with three poolings, no batch norm; the fourth encoder block is the bottleneck",
    published_for="retina (other data sets as commented variants)",
    origin="every statement of model.py and the optimiser, loss, batch size, epochs and split of main.py occur in it; "
    "the Dice function and the code that stores Dice values do not",
    author_edits=(
        "separate mask folder and per-data-set file-name rules",
        (
            "the Dice function: the conversation's version applied a sigmoid, thresholded the probability at 0.5, used "
            "smooth 1.0, and averaged per sample; the published one thresholds the raw logits at 0.5 over the whole "
            "batch with smooth 1e-6 (the same function as in the GPT-4o pipeline)"
        ),
        "storing of Dice values, loss figure, sample figure, timing",
    ),
    disagreements=(
        against_code(
            "net.decoder",
            published="decoder channels 512, 256, 128, 64 with 3 decoder stages",
            code="three decoder stages with outputs 256, 128, 64; 512 is only the width of the first concatenated "
            "input",
            consequence="the table's list has one width more than stages; its own parameter count belongs to the "
            "three-stage network",
            source="model.py:27",
        ),
        undocumented(
            "score.threshold",
            published="Dice named as the key metric, no threshold given",
            code="raw logits are compared with 0.5, i.e. a probability of 0.6225",
            consequence="predictions are smaller than at probability 0.5; published validation and test Dice are not "
            "on the scale of the other pipelines; the recorded conversation did it with a sigmoid",
            source="train.py:16",
        ),
        undocumented(
            "images.mask_threshold",
            published="the generation request asks for binary masks; the document does not say how they are made "
            "binary",
            code="masks stay grey after the bilinear resize, in the loss and in the Dice",
            consequence="soft targets along edges; a perfect prediction cannot reach Dice 1",
            source="dataset.py:30",
        ),
    ),
    recipe=Recipe(
        images=common.GREY_MASKS,
        split=common.SPLIT_80_10_10,
        net=replace(common.UNET_OF_THREE_POOLINGS, norm="none", output="logits"),
        loss=common.BCE_ON_LOGITS,
        fit=replace(common.FIT, batch_size=16, epochs=25, rate=1e-3),
        # The script compares the network's output itself, a logit, with 0.5.
        score=common.DICE_OVER_BATCH,
        test=common.DICE_OVER_BATCH,
    ),
    original_names=common.original_names(
        encoder="down1.double_conv down2.double_conv down3.double_conv",
        bottleneck="down4.double_conv",
        up="up1 up2 up3",
        decoder="conv1.double_conv conv2.double_conv conv3.double_conv",
        head="final",
    ),
)
