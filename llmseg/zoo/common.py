"""Values that several entries share: an entry is a copy of these, changed where it differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import TwoStepSplit
from llmseg.zoo.card import Card, Disagreement
from llmseg.zoo.disagreements import located_in
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.published import read_published
from llmseg.zoo.script_outputs import find_outputs

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
BILINEAR_MASKS = replace(NEAREST_MASKS, mask_resize="pillow-bilinear")
GREY_MASKS = replace(BILINEAR_MASKS, mask_threshold=None)
"""Masks keep the grey values that resizing gives their edges."""

SPLIT_80_10_10 = TwoStepSplit(
    first="held-out", first_size=0.2, second_size=0.5, sizes_are="test_size", seed=42, order="drawn", shuffled=False
)
# An eighth of the 80 % that are left is a tenth of all.
SPLIT_70_10_20 = replace(SPLIT_80_10_10, first="test", second_size=0.125)

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
UNET_OF_THREE_POOLINGS = replace(STANDARD_UNET, encoder=(64, 128, 256), bottleneck=512, decoder=(256, 128, 64))
BILINEAR_UNET = replace(
    STANDARD_UNET,
    bottleneck=512,
    decoder=(256, 128, 64, 64),
    up="bilinear",
    concat="skip-first",
    mismatch="pad",
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
BCE_ON_LOGITS = replace(BCE_ON_PROBABILITY, reads="logits")

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
"""Adam at one rate, no weight decay, the last weights kept; an entry always states batch size, epochs and rate."""

DICE_PER_CASE = Dice(
    reads="output",
    threshold=0.5,
    over="case",
    lists="case",
    smooth=1e-6,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)
DICE_MEAN_OF_BATCH = replace(DICE_PER_CASE, lists="batch")
DICE_OVER_BATCH = replace(DICE_PER_CASE, over="batch", lists="batch")
SOFT_DICE_OVER_BATCH = replace(DICE_OVER_BATCH, threshold=None, smooth=1.0)

TEXTBOOK = Recipe(
    images=NEAREST_MASKS,
    split=SPLIT_80_10_10,
    net=replace(STANDARD_UNET, concat="skip-first", output="logits"),
    loss=BCE_ON_LOGITS,
    fit=FIT,
    score=replace(DICE_PER_CASE, reads="sigmoid"),
    test=replace(DICE_PER_CASE, reads="sigmoid"),
)
"""What a textbook would write: binary masks, logits with a matching loss, thresholded Dice per case."""

CODE_IS_RECORDED = "every statement of model.py, the loss, optimiser, schedule and split occur in it"
"""What most cards say of the conversation that was published beside the scripts."""

CODE_AND_DICE_ARE_RECORDED = f"{CODE_IS_RECORDED}; also the Dice function"


def study_pipeline(
    id: str,
    *,
    name: str,
    vendor: str,
    cohort: int,
    parameters: int,
    scripts: str,
    summary: str,
    published_for: str,
    origin: str,
    recipe: Recipe,
    original_names: tuple[tuple[str, str], ...],
    in_study: bool = True,
    reasoning: bool = False,
    open_weights: bool = False,
    author_edits: tuple[str, ...] = (),
    disagreements: tuple[Disagreement, ...] = (),
) -> Pipeline:
    """Return a pipeline whose scripts the study published, with what it printed of it.

    Args:
        id: The name users type.
        name: Name of the language model.
        vendor: Who makes it.
        cohort: The year in which the study asked the model.
        parameters: Parameters counted on the network with one input channel.
        scripts: Folder of its scripts in the study's repository.
        summary: The pipeline's network in a sentence.
        published_for: The data set that the published scripts were last edited for.
        origin: How much of the code occurs in the conversation that is published beside it.
        recipe: Everything that decides a result.
        original_names: For every block of the network, our prefix and the original's.
        in_study: ``False`` for the two whose scripts the study published and did not compare.
        reasoning: Whether the study counts it as a reasoning model.
        open_weights: Whether the weights are open, as for :class:`llmseg.zoo.Card`.
        author_edits: What the study's authors changed in the code.
        disagreements: Where document and code differ, with sources within the folder, such as ``train.py:16``.
    """
    card = Card(
        name=name,
        vendor=vendor,
        cohort=cohort,
        in_study=in_study,
        reasoning=reasoning,
        open_weights=open_weights,
        parameters=parameters,
        published=read_published(id) if in_study else None,
        published_for=published_for,
        scripts=scripts,
        origin=origin,
        author_edits=author_edits,
        disagreements=located_in(scripts, disagreements),
        summary=summary,
    )
    return Pipeline(id=id, card=card, recipe=recipe, original_names=original_names, outputs=find_outputs(id))


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


def down_up_names(block: str, stage: str, head: str, up: str = "") -> tuple[tuple[str, str], ...]:
    """Pair names where the original's modules are called ``inc``, ``down1`` to ``down4`` and ``up1`` to ``up4``.

    Args:
        block: The original's name of the two convolutions within such a module.
        stage: Its name of pooling and block together.
        head: Its name of the head.
        up: As for :func:`original_names`.

    Example:
        >>> down_up_names("double_conv", "maxpool_conv", "outc")[1]
        ('encoder.1', 'down1.maxpool_conv.1.double_conv')
    """
    return original_names(
        encoder=" ".join([f"inc.{block}", *(f"down{i}.{stage}.1.{block}" for i in (1, 2, 3))]),
        bottleneck=f"down4.{stage}.1.{block}",
        up=up,
        decoder=" ".join(f"up{i}.conv.{block}" for i in (1, 2, 3, 4)),
        head=head,
    )


def _numbered(ours: str, theirs: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{ours}.{number}", name) for number, name in enumerate(theirs)]
