"""What the reruns share: the study asked two language models ten times each for the same pipeline.

It trained all twenty on its brain tumour images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.card import Disagreement
from llmseg.zoo.disagreements import located_in
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.published import read_published
from llmseg.zoo.reruns.script_outputs import find_rerun_outputs

USUAL_RERUN = Recipe(
    images=common.BILINEAR_MASKS,
    split=common.SPLIT_80_10_10,
    net=common.STANDARD_UNET,
    loss=common.BCE_ON_PROBABILITY,
    fit=replace(common.FIT, batch_size=8, epoch_loss="batches"),
    score=common.DICE_PER_CASE,
    test=common.DICE_PER_CASE,
)
"""What most reruns of GPT-4o do; those of GPT o4-mini-high have another network and other epochs."""


def rerun(
    base: Pipeline,
    scripts: str,
    run: int,
    *,
    recipe: Recipe,
    original_names: tuple[tuple[str, str], ...],
    parameters: int,
    failures: int,
    summary: str,
    disagreements: Sequence[Disagreement] = (),
) -> Pipeline:
    """Return one of the ten answers of a language model to the same prompt.

    Args:
        base: The pipeline of the same model that the study compares with those of others.
        scripts: Folder of the scripts in the study's repository, up to the number of the answer.
        run: Number of the answer, 1 to 10.
        recipe: Its recipe.
        original_names: As for :class:`llmseg.zoo.Pipeline`.
        parameters: As for :class:`llmseg.zoo.Card`.
        failures: How many executions failed before the code ran, as recorded in the conversation.
        summary: As for :class:`llmseg.zoo.Card`.
        disagreements: With sources within the folder of this answer, such as ``model.py:10``.
    """
    name = f"{base.id}@run-{run:02}"
    card = replace(
        base.card,
        parameters=parameters,
        scripts=f"{scripts}-{run}",
        published=read_published(name),
        published_for="brain",
        origin=f"answer {run} of 10 to the same prompt; {failures} executions failed in the conversation",
        author_edits=(),
        disagreements=located_in(f"{scripts}-{run}", disagreements),
        summary=summary,
    )
    outputs = find_rerun_outputs(base.id, run)
    return Pipeline(id=name, card=card, recipe=recipe, original_names=original_names, outputs=outputs)
