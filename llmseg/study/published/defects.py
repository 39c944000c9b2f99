"""What is known to be wrong with published numbers: in how scripts scored themselves, and in the numbers."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from llmseg import zoo
from llmseg.stats.published_scores import NUMBER_DEFECTS


def scoring_defects(pipeline: str) -> dict[str, str]:
    """Return what is unusual in how a script scored itself: in its masks, its test part or its formula.

    These are the quirks of the published recipe that concern the test score, or the validation score where a script has
    no test.

    Args:
        pipeline: Id of the pipeline.

    Returns:
        A sentence or two by short name, which is the id of the quirk without ``-in-test``.

    Example:
        >>> list(scoring_defects("gpt-4"))
        ['grey-masks', 'raw-logits', 'batch-dice']
    """
    found = {}
    recipe = zoo.get(pipeline).recipe
    score = "score" if recipe.test is None else "test"
    for quirk in recipe.quirks:
        path = quirk.repaired_field(recipe).path
        if path.startswith((f"{score}.", "split.", "images.mask")):
            found[quirk.id.removesuffix("-in-test").removesuffix("-in-validation")] = f"{quirk.sentence} {quirk.why}"
    return found


def explain_defects(frames: Iterable[pd.DataFrame]) -> dict[str, str]:
    """Return a sentence for every defect that occurs, those of numbers first.

    Args:
        frames: Tables with the columns ``pipeline`` and ``defects``, a tuple of short names.
    """
    rows = pd.concat([frame[["pipeline", "defects"]] for frame in frames])
    explanations = {**NUMBER_DEFECTS}
    for pipeline in rows["pipeline"].unique():
        explanations |= scoring_defects(pipeline)
    occur = {name for defects in rows["defects"] for name in defects}
    return {name: text for name, text in explanations.items() if name in occur}
