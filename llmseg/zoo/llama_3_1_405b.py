"""The pipeline that LLaMA 3.1 405B wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.nets.encoder_decoder import UnpaddedEncoderDecoder
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo import common
from llmseg.zoo.disagreements import against_code, no_bottleneck, other_decoder, undocumented

_DICE = replace(common.DICE_OVER_BATCH, smooth=0.0, sizes="mask-to-output", mask_threshold=0.5)

PIPELINE = common.study_pipeline(
    "llama-3.1-405b",
    name="LLaMA 3.1 405B",
    vendor="Meta",
    cohort=2024,
    open_weights=True,
    parameters=533_953,
    scripts="Modells 2024/LLaMA 3.1_405B",
    summary="three unpadded single convolutions with poolings and three transposed convolutions; no skips, no norm; "
    "output smaller than the input",
    published_for="retina (other data sets as commented variants)",
    origin="every statement of model.py, loss, optimiser, split and the training step occur in it",
    author_edits=(
        "separate mask folder and per-data-set file-name rules",
        "validation and test: masks binarised again after the resize; both-empty rule added",
        "storing of Dice values",
        "loss figure, sample figure, timing, saving of the whole model",
    ),
    disagreements=(
        against_code(
            "card.published.head",
            published="Conv2d(64, 1, 1)",
            code="transposed convolution 64 to 1, kernel 2, stride 2",
            consequence="no 1x1 head; the last upsampling is the head",
            source="model.py:24",
        ),
        other_decoder(
            published="256, 128, 64",
            code="128, 64, 1 (the published numbers are the inputs of the stages)",
            consequence="the parameter count of the table belongs to the code",
            source="model.py:20",
        ),
        no_bottleneck(256, "model.py:19"),
        undocumented(
            "loss.sizes",
            published="image size 256x256",
            code="output 240x240 because the convolutions are unpadded",
            consequence="loss and Dice are computed on nearest-resized 240x240 masks; not the same pixels as the other "
            "pipelines",
            source="train.py:27",
        ),
        undocumented(
            "net",
            published="called a U-Net",
            code="no skip connections, no decoder convolutions",
            consequence="not a U-Net",
            source="model.py:27",
        ),
        undocumented(
            "loss.validation_threshold",
            published="training and validation losses are compared",
            code="training targets are grey, validation targets binary",
            consequence="the two curves are not the same quantity",
            source="train.py:81",
        ),
        undocumented(
            "split",
            published="only 'different methods' for the split are mentioned",
            code="unseeded split",
            consequence="the test part changes from run to run; published values cannot be re-derived",
            source="main.py:39",
        ),
    ),
    recipe=Recipe(
        images=common.GREY_MASKS,
        split=RandomSplit(calls="once", train=0.8, validation=0.1),
        net=UnpaddedEncoderDecoder(encoder=(64, 128, 256), decoder=(128, 64, 1), output="probability"),
        # Masks stay grey in training; the loss of the validation is taken of masks above one half.
        loss=replace(common.BCE_ON_PROBABILITY, sizes="mask-to-output", validation_threshold=0.5),
        fit=replace(common.FIT, batch_size=32, epochs=10, rate=1e-3, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=(("encoder", "encoder"), ("decoder", "decoder")),
)
