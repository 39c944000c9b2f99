"""What the run-to-run variants share: two language models were asked ten times for the same pipeline.

All were trained by the study on its brain tumour images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmseg.recipe.fit import Fit
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.zoo.card import Disagreement, Published
from llmseg.zoo.common import BCE_ON_PROBABILITY, BILINEAR_MASKS, SPLIT_80_10_10, STANDARD_UNET
from llmseg.zoo.pipeline import Pipeline

PER_CASE = Dice(
    reads="output",
    threshold=0.5,
    over="case",
    lists="case",
    smooth=1e-6,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)
MEAN_OF_BATCH = replace(PER_CASE, lists="batch")
OVER_BATCH = replace(PER_CASE, over="batch", lists="batch")
MOST = Recipe(
    images=BILINEAR_MASKS,
    split=SPLIT_80_10_10,
    net=STANDARD_UNET,
    loss=BCE_ON_PROBABILITY,
    fit=Fit(
        batch_size=8,
        test_batch_size=None,
        fixed_batches=None,
        drop_last=False,
        epochs=25,
        optimizer="adam",
        rate=1e-4,
        decay=0.0,
        schedule=None,
        average=None,
        augment=None,
        keep="last",
        epoch_loss="batches",
        own_seed=None,
    ),
    score=PER_CASE,
    test=PER_CASE,
)
"""What most reruns of GPT-4o do; those of GPT o4-mini-high have another network and other epochs."""


def rerun(
    base: Pipeline,
    run: int,
    *,
    recipe: Recipe,
    original_names: tuple[tuple[str, str], ...],
    parameters: int,
    published: Published,
    failures: int,
    summary: str,
    disagreements: Sequence[Disagreement] = (),
) -> Pipeline:
    """Return one of the ten answers of a language model to the same prompt.

    Args:
        base: The pipeline of the same model that the study compares with those of others.
        run: Number of the answer, 1 to 10.
        recipe: Its recipe.
        original_names: As for :class:`llmseg.zoo.Pipeline`.
        parameters: As for :class:`llmseg.zoo.Card`.
        published: Its row of the study's table of reruns.
        failures: Executions that failed before the code ran, counted in the conversation.
        summary: As for :class:`llmseg.zoo.Card`.
        disagreements: As for :class:`llmseg.zoo.Card`.
    """
    card = replace(
        base.card,
        parameters=parameters,
        published=published,
        published_for="brain",
        origin=f"answer {run} of 10 to the same prompt; {failures} executions failed in the conversation",
        author_edits=(),
        disagreements=tuple(disagreements),
        summary=summary,
    )
    return Pipeline(id=f"{base.id}@run-{run:02}", card=card, recipe=recipe, original_names=original_names)


def against_table(about: str, published: str, code: str, consequence: str) -> Disagreement:
    """Return a point in which the study's table of reruns and the code differ."""
    return Disagreement(
        kind="document-against-code", about=about, published=published, code=code, consequence=consequence
    )
