"""Values that three or more entries share, and the textbook recipe the entries are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit

BILINEAR_MASKS = Prepare(
    colour="grey",
    colour_when="before-resize",
    size=(256, 256),
    image_resize="pillow-bilinear",
    mask_resize="pillow-bilinear",
    mean=0.0,
    std=1.0,
    arithmetic="unit-first",
    mask_threshold=0.5,
    threshold_when="after-resize",
    mask_type="float32",
)
NEAREST_MASKS = Prepare(
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
GREY_MASKS = Prepare(
    colour="grey",
    colour_when="before-resize",
    size=(256, 256),
    image_resize="pillow-bilinear",
    mask_resize="pillow-bilinear",
    mean=0.0,
    std=1.0,
    arithmetic="unit-first",
    mask_threshold=None,
    threshold_when="after-resize",
    mask_type="float32",
)

SPLIT_80_10_10 = TwoStepSplit(
    first="held-out", first_size=0.2, second_size=0.5, sizes_are="test_size", seed=42, order="drawn", shuffled=False
)

STANDARD_UNET = UNet(
    encoder=(64, 128, 256, 512),
    bottleneck=1024,
    decoder=(512, 256, 128, 64),
    norm="batch",
    bias=True,
    up="transposed",
    hidden="block",
    concat="up-first",
    skip_from="block",
    pool_last=True,
    pool_bottleneck=False,
    dropout=0.0,
    mismatch="error",
    drawn="stages",
    output="probability",
)

BCE_ON_PROBABILITY = BCEDice(
    bce=1.0,
    dice=0.0,
    reads="probability",
    dice_over="batch",
    dice_smooth=1.0,
    sizes="equal",
    validation_threshold=None,
)
BCE_ON_LOGITS = BCEDice(
    bce=1.0,
    dice=0.0,
    reads="logits",
    dice_over="batch",
    dice_smooth=1.0,
    sizes="equal",
    validation_threshold=None,
)

_TEXTBOOK_DICE = Dice(
    reads="sigmoid",
    threshold=0.5,
    over="case",
    lists="case",
    smooth=1e-6,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)
TEXTBOOK = Recipe(
    images=NEAREST_MASKS,
    split=SPLIT_80_10_10,
    net=UNet(
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
    ),
    loss=BCE_ON_LOGITS,
    fit=Fit(
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
    ),
    score=_TEXTBOOK_DICE,
    test=_TEXTBOOK_DICE,
)
"""What a textbook would write: binary masks, logits with a matching loss, thresholded Dice per case."""


def original_names(
    *, encoder: str, decoder: str, head: str = "", bottleneck: str = "", up: str = ""
) -> tuple[tuple[str, str], ...]:
    """Pair our names of a network's blocks with the original's.

    Args:
        encoder: The original's names of the encoder blocks, first to last, separated by blanks.
        decoder: Those of the decoder blocks, deepest first.
        head: That of the head; empty if there is none.
        bottleneck: That of the bottleneck; empty if there is none.
        up: Those of the up-sampling layers, deepest first; empty if they have no weights.

    Example:
        >>> original_names(encoder="down1 down2", decoder="up1", head="final")
        (('encoder.0', 'down1'), ('encoder.1', 'down2'), ('decoder.0', 'up1'), ('head', 'final'))
    """
    return (
        *_numbered("encoder", encoder.split()),
        *([("bottleneck", bottleneck)] if bottleneck else []),
        *_numbered("up", up.split()),
        *_numbered("decoder", decoder.split()),
        *([("head", head)] if head else []),
    )


def _numbered(ours: str, theirs: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{ours}.{number}", name) for number, name in enumerate(theirs)]
