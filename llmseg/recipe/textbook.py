"""The parts of the textbook recipe, ``llmseg.zoo.TEXTBOOK``: what a textbook would write.

Masks are binary, the network ends in logits that the loss reads as such, and Dice is taken per case with a threshold.
"""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit

IMAGES = Prepare(
    colour="grey",
    colour_when="before-resize",
    size=(256, 256),
    image_resize="pillow-bilinear",
    mask_resize="pillow-nearest",
    mean=0.0,
    std=1.0,
    arithmetic="unit-first",
    mask_threshold=0.5,
    threshold_when="after-resize",
    mask_type="float32",
)

SPLIT = TwoStepSplit(
    first="held-out", first_size=0.2, second_size=0.5, sizes_are="test_size", seed=42, order="drawn", shuffled=False
)

NET = UNet(
    encoder=(64, 128, 256, 512),
    bottleneck=1024,
    decoder=(512, 256, 128, 64),
    norm="batch",
    bias=True,
    up="transposed",
    hidden="block",
    concat="skip-first",
    skip_from="block",
    pool_last=True,
    pool_bottleneck=False,
    dropout=0.0,
    mismatch="error",
    drawn="stages",
    output="logits",
)

LOSS = BCEDice(
    bce=1.0,
    dice=0.0,
    reads="logits",
    dice_over="batch",
    dice_smooth=1.0,
    sizes="equal",
    validation_threshold=None,
)

FIT = Fit(
    batch_size=16,
    test_batch_size=None,
    epochs=25,
    fixed_batches=None,
    drop_last=False,
    optimizer="adam",
    rate=1e-4,
    decay=0.0,
    schedule=None,
    average=None,
    augment=None,
    keep="last",
    epoch_loss="cases",
    own_seed=None,
)

SCORE = Dice(
    reads="sigmoid",
    threshold=0.5,
    over="case",
    lists="case",
    smooth=1e-6,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)
