"""The score of a script as one of the library: read from its functions, and checked on its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from llmseg.admission.observing.functions import (
    COMPARISONS,
    SIGMOIDS,
    find_ancestors,
    find_loss,
    list_numbers,
    list_tensors,
    results,
    sign,
)
from llmseg.admission.observing.mistakes.common import list_scored
from llmseg.admission.observing.observation import Observation, Part, Pass
from llmseg.admission.observing.record import Event
from llmseg.admission.observing.terms import DIVISIONS, SUMS, find_mean
from llmseg.recipe.recipe import TEXTBOOK
from llmseg.recipe.scores import Score

_CLOSE = 1e-5


def fit_score(observation: Observation, part: Part) -> Score | str:
    """Return the Dice that a script computes in a part, or why none is known.

    Args:
        observation: The observation.
        part: ``"validation"`` or ``"test"``.
    """
    passes = [each for each in list_scored(observation) if each.part == part and each.targets is not None]
    if not passes:
        return "no output was compared with a mask"
    learnt = observation.of("training")
    formula = find_loss(learnt[0]) if learnt else ()
    found = [set(_list_scores(each, formula)) for each in passes]
    same = set.intersection(*found)
    if len(same) != 1:
        return "the script computes no Dice of the library" if not same else "the script computes several kinds of Dice"
    return same.pop()


def _list_scores(each: Pass, formula: tuple[str, ...]) -> Iterator[Score]:
    """Yield what each division is that leads to no loss, if its formula gives the number that the script got."""
    ours = [function for function in each.functions if not _leads_to_loss(each, function, formula)]
    for function in ours:
        tensors = list_tensors(function)
        if function["name"] not in DIVISIONS or len(tensors) != 2:
            continue
        value, over = find_mean(each, function)
        score = _read(each, function, over)
        if value is not None and _agrees(score, each, value):
            yield score


def _leads_to_loss(each: Pass, function: Event, formula: tuple[str, ...]) -> bool:
    for later in each.functions[each.functions.index(function) :]:
        for result in results(later):
            if formula and sign(each.functions, result) == formula:
                return function in find_ancestors(each.functions, result)
    return False


def _read(each: Pass, division: Event, over: str) -> Score:
    before = find_ancestors(each.functions, results(division)[0])
    names = {str(event["name"]) for event in before}
    thresholds = [number for event in before if event["name"] in COMPARISONS for number in list_numbers(event)]
    constants = [number for event in before if event["name"] in SUMS for number in list_numbers(event)]
    base: Any = TEXTBOOK.score
    score: Score = replace(
        base,
        reads="sigmoid" if names & set(SIGMOIDS) else "output",
        threshold=thresholds[0] if thresholds else None,
        over=over or "batch",
        lists="batch",
        smooth=constants[0] if constants else 0.0,
    )
    return score


def _agrees(score: Any, each: Pass, value: float) -> bool:
    output, targets = each.output, each.targets
    if output is None or targets is None or output.shape != targets.shape:
        return False
    computed = float(score(torch.from_numpy(output), torch.from_numpy(targets).to(torch.float32))[0])
    return abs(computed - value) <= _CLOSE * max(abs(computed), _CLOSE)
