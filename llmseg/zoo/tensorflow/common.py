"""What the TensorFlow variants of the 2024 models share.

The study asked for each pipeline in TensorFlow, too, and printed a table of settings. It reports no training of them,
and the code is known from the recorded answers only.
"""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.losses import KerasBCEDice
from llmseg.recipe.nets.keras_unet import KerasUNet
from llmseg.zoo import common
from llmseg.zoo.card import Assumed, Card, Disagreement, Mend
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.published import read_published

ANSWERS = "Models Comparison/Results/Tensorflow"
"""Folder of the recorded answers in the study's repository; each holds all scripts of its pipeline."""

ONE_ANSWER = "one answer without a follow-up; no error message and no sign of execution is recorded"

TENSORFLOW_IMAGES = replace(
    common.BILINEAR_MASKS, image_resize="tensorflow-bilinear", mask_resize="tensorflow-bilinear"
)
"""``tf.image.resize`` of decoded PNG files; rounding a value above one half is a threshold there."""

LOADED_IMAGES = replace(TENSORFLOW_IMAGES, image_resize="pillow-nearest", mask_resize="pillow-nearest")
"""``load_img`` with a target size: Pillow, nearest."""

TEST_FIRST = replace(common.SPLIT_80_10_10, first="test", second_size=0.1)

KERAS_UNET = KerasUNet(
    dialect="keras",
    encoder=(64, 128, 256, 512),
    bottleneck=1024,
    decoder=(512, 256, 128, 64),
    norm="none",
    up="transposed",
    join="before-block",
    concat="up-first",
    skip_from="block",
    dropout=0.0,
    narrow=None,
    output="logits",
)

KERAS_FIT = replace(common.FIT, epochs=50, optimizer="keras-adam", epoch_loss="batches")

BCE = KerasBCEDice(
    bce=1.0,
    dice=0.0,
    dice_term="loss",
    dice_smooth=1.0,
    validation="same",
    reads="logits",
    clipped="never",
    sizes="equal",
)

SOFT_DICE = replace(common.SOFT_DICE_OVER_BATCH, reads="sigmoid")

REMEMBERED_LOGITS = Assumed(
    path="loss.reads",
    reason="Keras computes with logits if it gets the very output of the sigmoid; nobody has run this code to see",
)
DECODED_GREY = Assumed(
    path="images.colour", reason="files in colour become grey by Pillow's weights, for grey files nothing is assumed"
)
RELISTED = Assumed(
    path="split.order",
    reason="the parts are copied into folders and listed again, in the folder's order or by number; here by name",
)


def tensorflow_card(
    base: Pipeline,
    *,
    parameters: int,
    scripts: str,
    summary: str,
    disagreements: tuple[Disagreement, ...],
    origin: str = ONE_ANSWER,
    mends: tuple[Mend, ...] = (),
    assumed: tuple[Assumed, ...] = (),
) -> Card:
    """Return the card of the variant that the language model of another pipeline wrote."""
    return replace(
        base.card,
        framework="TensorFlow",
        parameters=parameters,
        scripts=scripts,
        summary=summary,
        published=read_published(f"{base.id}@tensorflow"),
        published_for="no data set; the request describes PNG images with _seg masks in one folder, about 5000 of them",
        origin=origin,
        author_edits=(),
        disagreements=disagreements,
        mends=mends,
        assumed=assumed,
    )
