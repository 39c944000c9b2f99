"""The scores of a script as those of the library: read from its functions, and checked on its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import torch

from llmseg.admission.observing.fitting.losses import Masks, is_close, list_tensors_of, tell_sizes
from llmseg.admission.observing.functions import (
    COMPARISONS,
    DIVISIONS,
    SIGMOIDS,
    find_ancestors,
    find_loss,
    list_numbers,
    list_tensors,
    results,
    sign,
)
from llmseg.admission.observing.mistakes.common import SCORED, list_scored
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.observing.record import Event
from llmseg.admission.observing.terms import SUMS, find_mean
from llmseg.recipe.recipe import TEXTBOOK
from llmseg.recipe.scores import Dice, Score


def fit_scores(observation: Observation, masks: Masks) -> dict[str, Score | str]:
    """Return the Dice that a script computes in the validation (``score``) and in the test, or why none is known.

    Batches of one case do not show what a Dice is taken over. It is then the same in both parts if it can be.

    Args:
        observation: The observation.
        masks: The masks of a pass.
    """
    scored = [each for each in list_scored(observation) if each.masks is not None]
    passes = {part: [each for each in scored if each.part == part] for part in SCORED}
    learnt = observation.of("training")
    formula = find_loss(learnt[0]) if learnt else ()
    found = {part: _list_same(own, formula, masks) for part, own in passes.items()}
    common = [score for score in found["validation"] if score in found["test"]]
    score, test = (_choose(found[part], common, passes[part]) for part in SCORED)
    return {"score": score, "test": test}


def _list_same(passes: list[Pass], formula: tuple[str, ...], masks: Masks) -> list[Dice]:
    """Return the scores that give the numbers of all passes."""
    found = [dict.fromkeys(_list_scores(each, formula, masks)) for each in passes]
    return [score for score in next(iter(found), ()) if all(score in other for other in found)]


def _choose(same: list[Dice], common: list[Dice], passes: list[Pass]) -> Score | str:
    if not passes:
        return "no output was compared with a mask"
    if not same:
        return "the script computes no Dice of the library"
    alone = all(len(each.items) == 1 for each in passes)
    if len({_name_kind(score, alone) for score in same}) > 1:
        return "the script computes several kinds of Dice"
    return (common or same)[0]


def _name_kind(score: Dice, alone: bool) -> tuple[Any, ...]:
    """Return what tells scores apart of which a script computes one beside the other."""
    return (score.reads, score.threshold) if alone else (score.reads, score.threshold, score.over, score.lists)


def _list_scores(each: Pass, formula: tuple[str, ...], masks: Masks) -> Iterator[Dice]:
    """Yield what each division is that leads to no loss, if its formula gives the numbers that the script got."""
    ours = [function for function in each.functions if not _leads_to_loss(each, function, formula)]
    given = list_tensors_of(each, masks)
    if given is None:
        return
    divisions = [function for function in ours if function["name"] in DIVISIONS and len(list_tensors(function)) == 2]
    for function in divisions:
        read = _read(each, function)
        for score, values in _list_ways(read, each, function, _list_values(each, function, divisions)):
            if _agrees(score, given, values):
                yield score


def _list_values(each: Pass, function: Event, divisions: list[Event]) -> list[float] | None:
    """Return one number for each case: of a division of vectors, or of equal ones, one for each case in a loop."""
    vector: list[float] | None = (function["results"] or [{}])[0].get("values")
    if vector is not None:  # its mean may have been seen
        return vector if find_mean(each, function)[0] is None else None
    formula = sign(each.functions, results(function)[0])
    equal = [other for other in divisions if sign(each.functions, results(other)[0]) == formula]
    looped = [other["results"][0].get("value") for other in equal]
    is_loop = len(each.items) > 1 and len(looped) == len(each.items) and None not in looped
    return looped if is_loop else None


def _leads_to_loss(each: Pass, function: Event, formula: tuple[str, ...]) -> bool:
    for later in each.functions[each.functions.index(function) :]:
        for result in results(later):
            if formula and sign(each.functions, result) == formula:
                return function in find_ancestors(each.functions, result)
    return False


def _read(each: Pass, division: Event) -> Dice:
    """Return the score that the functions before a division show, whatever it is taken over."""
    before = find_ancestors(each.functions, results(division)[0])
    names = {str(event["name"]) for event in before}
    thresholds = [number for event in before if event["name"] in COMPARISONS for number in list_numbers(event)]
    base: Any = TEXTBOOK.score
    read: Dice = replace(
        base,
        reads="sigmoid" if names & set(SIGMOIDS) else "output",
        threshold=thresholds[0] if thresholds else None,
        sizes=tell_sizes(each),
    )
    return read


def _list_ways(
    read: Dice, each: Pass, division: Event, vector: list[float] | None
) -> Iterator[tuple[Dice, list[float]]]:
    """Yield a score with each way to take it and to smooth it, and the numbers of the script that it has to give."""
    above, below = (_list_constants(each, tensor) for tensor in list_tensors(division))
    smooths = [(smooth, "both") for smooth in dict.fromkeys([*(s for s in above if s in below), 0.0])]
    smooths += [(smooth, "below") for smooth in below if smooth not in above]
    value, over = find_mean(each, division)
    ways = [] if value is None else [(over, "batch", [value])]
    if value is not None and len(each.items) == 1:
        ways = [(taken, "batch", [value]) for taken in ("batch", "case")]
    if vector is not None:
        mean = sum(vector) / len(vector)
        # Where numpy takes the mean, a table that is written shows it.
        is_mean = _is_written(each, mean) and not all(_is_written(each, number) for number in vector)
        ways.append(("case", "batch", [mean]) if is_mean else ("case", "case", vector))
    for (taken, lists, values), (smooth, smoothed), threshold in product(ways, smooths, (None, 0.5)):
        way: Any = {"over": taken, "lists": lists, "smooth": smooth, "smoothed": smoothed}
        yield replace(read, mask_threshold=threshold, **way), values


def _is_written(each: Pass, number: float) -> bool:
    """Return whether a script writes a number into a table."""
    rows = (row for table in each.record.list("table") for row in table["rows"])
    return any(cell is not None and is_close(cell, number) for row in rows for cell in row)


def _list_constants(each: Pass, tensor: int) -> list[float]:
    before = find_ancestors(each.functions, tensor)
    return [number for event in before if event["name"] in SUMS for number in list_numbers(event)]


def _agrees(score: Dice, given: tuple[torch.Tensor, torch.Tensor], values: list[float]) -> bool:
    output, masks = given
    if score.sizes == "equal" and output.shape != masks.shape:
        return False
    computed = score(output, masks).tolist()
    return len(computed) == len(values) and all(map(is_close, computed, values))
