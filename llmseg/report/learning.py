"""Whether contenders have learnt anything, as far as their scores tell."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from llmseg.stats.table import contender_names
from llmseg.stats.words import and_list

OVERLAPS = ("dice", "iou")
"""Measures that are near 0 for a mask that has nothing to do with the true one."""

_LOW = 0.1
"""A mean overlap below it is what a mask gets that has little to do with the image."""

_FEWEST = 5
"""Scores from which on 0 and 1 alone are no accident."""


def find_unlearnt(frame: pd.DataFrame, measure: str) -> dict[str, tuple[str, ...]]:
    """Return the contenders that have learnt next to nothing, by dataset.

    These are contenders with a mean overlap below 0.1, and those whose every score is 0 or 1, which is what empty masks
    get: 1 where the true mask is empty, too, and 0 elsewhere.

    Args:
        frame: Scores of one measure, as in a table.
        measure: Which measure it is; of others than overlaps nothing is said.

    Example:
        >>> from llmseg.stats import simulate
        >>> frame = simulate(pipelines=2, datasets=1).frame
        >>> find_unlearnt(frame.assign(value=frame["value"].where(frame["pipeline"] == "llm-01", 0.02)), "dice")
        {'dataset-1': ('llm-02',)}
    """
    if measure not in OVERLAPS:
        return {}
    named = frame.assign(contender=contender_names(frame))
    found: dict[str, tuple[str, ...]] = {}
    for (dataset, contender), values in named.groupby(["dataset", "contender"], sort=False, observed=True)["value"]:
        of_empty_masks = len(values) >= _FEWEST and values.isin((0.0, 1.0)).all() and values.min() == 0.0
        if values.mean() < _LOW or of_empty_masks:
            found[str(dataset)] = (*found.get(str(dataset), ()), str(contender))
    return found


def word_learning(unlearnt: Mapping[str, tuple[str, ...]], contenders: int, measure: str) -> list[str]:
    """Return a sentence per dataset about who has learnt next to nothing.

    Args:
        unlearnt: As :func:`find_unlearnt` returns it.
        contenders: How many contenders there are.
        measure: The measure.

    Example:
        >>> word_learning({"skin": ("a", "b")}, 2, "dice")[0][:53]
        'no contender has learnt to segment skin: each has a m'
    """
    why = f"a mean {measure} below {_LOW:g}, or scores of 0 and 1 only, as empty masks get them"
    return [
        f"no contender has learnt to segment {dataset}: each has {why}; their order says nothing"
        if len(names) == contenders
        else f"on {dataset}, {and_list(names)} {'has' if len(names) == 1 else 'have'} learnt next to nothing: {why}"
        for dataset, names in unlearnt.items()
    ]
