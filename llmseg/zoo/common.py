"""Values that several entries share: an entry is a copy of these, changed where it differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmseg.recipe import textbook
from llmseg.recipe.recipe import TEXTBOOK as TEXTBOOK  # entries, also those of others, take it from here
from llmseg.recipe.recipe import Recipe
from llmseg.zoo.card import Card, Disagreement
from llmseg.zoo.disagreements import located_in
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.published import read_published
from llmseg.zoo.script_outputs import find_outputs

NEAREST_MASKS = textbook.IMAGES
BILINEAR_MASKS = replace(NEAREST_MASKS, mask_resize="pillow-bilinear")
GREY_MASKS = replace(BILINEAR_MASKS, mask_threshold=None)
"""Masks keep the grey values that resizing gives their edges."""

SPLIT_80_10_10 = textbook.SPLIT
# An eighth of the 80 % that are left is a tenth of all.
SPLIT_70_10_20 = replace(SPLIT_80_10_10, first="test", second_size=0.125)

STANDARD_UNET = replace(textbook.NET, concat="up-first", output="probability")
UNET_OF_THREE_POOLINGS = replace(STANDARD_UNET, encoder=(64, 128, 256), bottleneck=512, decoder=(256, 128, 64))
BILINEAR_UNET = replace(
    STANDARD_UNET,
    bottleneck=512,
    decoder=(256, 128, 64, 64),
    up="bilinear",
    concat="skip-first",
    mismatch="pad",
)

BCE_ON_LOGITS = textbook.LOSS
BCE_ON_PROBABILITY = replace(BCE_ON_LOGITS, reads="probability")

FIT = textbook.FIT
"""Adam at one rate, no weight decay, the last weights kept; an entry always states batch size, epochs and rate."""

DICE_PER_CASE = replace(textbook.SCORE, reads="output")
DICE_MEAN_OF_BATCH = replace(DICE_PER_CASE, lists="batch")
DICE_OVER_BATCH = replace(DICE_PER_CASE, over="batch", lists="batch")
SOFT_DICE_OVER_BATCH = replace(DICE_OVER_BATCH, threshold=None, smooth=1.0)

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
