"""What the TensorFlow variants of the 2024 models share.

The study asked for each pipeline in TensorFlow, too, and printed a table of settings. It reports no training of them,
and the code is known from the recorded answers only.
"""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import KerasBCEDice
from llmseg.recipe.nets.keras_unet import KerasUNet
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit
from llmseg.zoo.card import Assumed, Card, Disagreement, Mend, Published

NOT_STATED = "not stated"
ONE_ANSWER = "one answer without a follow-up; no error message and no sign of execution is recorded"

TENSORFLOW_IMAGES = Prepare(
    colour="grey",
    colour_when="before-resize",
    size=(256, 256),
    image_resize="tensorflow-bilinear",
    mask_resize="tensorflow-bilinear",
    mean=0.0,
    std=1.0,
    arithmetic="unit-first",
    mask_threshold=0.5,
    threshold_when="after-resize",
    mask_type="float32",
)
"""``tf.image.resize`` of decoded PNG files; rounding a value above one half is a threshold there."""

LOADED_IMAGES = replace(TENSORFLOW_IMAGES, image_resize="pillow-nearest", mask_resize="pillow-nearest")
"""``load_img`` with a target size: Pillow, nearest."""

TEST_FIRST = TwoStepSplit(
    first="test", first_size=0.2, second_size=0.1, sizes_are="test_size", seed=42, order="drawn", shuffled=False
)

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

KERAS_PUBLISHED = Published(
    parameters=NOT_STATED,
    training_time=NOT_STATED,
    batch_size=16,
    epochs=50,
    optimizer="Adam, Learning Rate: 0.0001",
    loss="Binary Cross-Entropy",
    image_size=(256, 256),
    encoder_stages=4,
    decoder_stages=4,
    block="2 Conv layers + BatchNorm + ReLU",
    encoder=(64, 128, 256, 512, 1024),
    bottleneck="1024 filters with Conv Block",
    decoder=(512, 256, 128, 64),
    head="Conv2D (1 filter, Sigmoid Activation)",
)
KERAS_FIT = Fit(
    batch_size=16,
    test_batch_size=None,
    epochs=50,
    fixed_batches=None,
    drop_last=False,
    optimizer="keras-adam",
    rate=0.0001,
    decay=0.0,
    schedule=None,
    average=None,
    augment=None,
    keep="last",
    epoch_loss="batches",
    own_seed=None,
)

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

SOFT_DICE = Dice(
    reads="sigmoid",
    threshold=None,
    over="batch",
    lists="batch",
    smooth=1.0,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)

REMEMBERED_LOGITS = Assumed(
    path="loss.reads",
    reason="Keras computes with logits if it gets the very output of the sigmoid; nobody has run this code to see",
)
DECODED_GREY = Assumed(
    path="images.colour",
    reason="files in colour become grey by Pillow's weights, for grey files nothing is assumed",
)
RELISTED = Assumed(
    path="split.order",
    reason="the parts are copied into folders and listed again, in the folder's order or by number; here by name",
)


def tensorflow_card(
    base: Card,
    *,
    parameters: int,
    summary: str,
    published: Published,
    disagreements: tuple[Disagreement, ...],
    origin: str = ONE_ANSWER,
    mends: tuple[Mend, ...] = (),
    assumed: tuple[Assumed, ...] = (),
) -> Card:
    """Return the card of a variant by the same language model."""
    return replace(
        base,
        framework="TensorFlow",
        parameters=parameters,
        summary=summary,
        published=published,
        published_for="no data set; the request describes PNG images with _seg masks in one folder, about 5000 of them",
        origin=origin,
        author_edits=(),
        disagreements=disagreements,
        mends=mends,
        assumed=assumed,
    )
