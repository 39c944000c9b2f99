"""What probes compare of two runs: pairs, masks and images that arrived, and counts of cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing import Pass
from llmseg.admission.probes.bench import Trial

Key = tuple[str, str, Any]
"""Part, case, and which piece of it."""

Counts = tuple[int, int, int]
"""Pixels in both, in the prediction, in the mask."""


def find_first_batch(trial: Trial) -> NDArray[Any] | None:
    """Return the images of the first step."""
    return next((each.images for each in trial.observation.passes if each.learns), None)


def find_first_masks(trial: Trial) -> dict[Key, NDArray[Any]]:
    """Return each mask as it arrived in the first epoch."""
    masks: dict[Key, NDArray[Any]] = {}
    for each in _first_epoch(trial):
        targets = each.masks
        for number, item in enumerate(each.items):
            if targets is not None and item.id and number < len(targets):
                # Of two channels, the second is the foreground.
                masks.setdefault((each.part, item.id, item.image.window), targets[number][-1])
    return masks


def find_steady_parts(one: Trial, other: Trial) -> set[str]:
    """Return the parts whose masks are the same in two runs on the same cases.

    One mask that differs is enough to leave its part out: augmentation leaves some masks as they are by chance.
    """
    before, after = find_first_masks(one), find_first_masks(other)
    moved = {key[0] for key in before.keys() ^ after.keys()}
    moved |= {key[0] for key in before.keys() & after.keys() if not np.array_equal(before[key], after[key])}
    return {key[0] for key in before} - moved


def list_cases(trial: Trial) -> list[str]:
    """Return the cases that went through the network in the first loop over each part, ``""`` for unknown ones."""
    return [item.id for each in _first_epoch(trial) for item in each.items]


def _first_epoch(trial: Trial) -> Iterator[Pass]:
    """Yield the passes of the first loop over each part, not those elsewhere that draw pictures of some cases."""
    first: dict[str, Pass] = {}
    for each in trial.observation.passes:
        begin = first.setdefault(each.part, each)
        if each.part != "other" and each.block == begin.block and (each.learns or each.place == begin.place):
            yield each


def find_changing_image(trial: Trial) -> str | None:
    """Return a case that the validation shows otherwise later on; ``""`` for none, ``None`` if that is unknown."""
    first: dict[tuple[str, str], set[str]] = {}
    begun: dict[str, int] = {}
    is_repeated = False
    for each in trial.observation.of("validation"):
        is_first = begun.setdefault(each.place, each.block) == each.block
        for item in each.items:
            known = first.setdefault((each.place, item.id), set())
            if is_first:
                known.add(item.input_sha)
            elif item.id and known:
                is_repeated = True
                if item.input_sha not in known:
                    return item.id
    return "" if is_repeated else None


def count_tested_pixels(trial: Trial) -> list[list[Counts]]:
    """Return the counts of each case of the test, batch by batch; empty if some are unknown."""
    tested = [each for each in _first_epoch(trial) if each.part == "test"]
    batches = [[item.counts for item in each.items if item.counts is not None] for each in tested]
    is_complete = all(len(counts) == len(each.items) for counts, each in zip(batches, tested, strict=True))
    return batches if is_complete and all(batches) else []


def measure_validations(trial: Trial) -> list[tuple[float, float]]:
    """Return how good each epoch was on the validation part, by cross entropy and by soft Dice; larger is better."""
    epochs: dict[int, list[tuple[float, float]]] = {}
    for each in trial.observation.of("validation"):
        for item in each.items:
            if item.bce is not None and item.dice is not None:
                epochs.setdefault(each.epoch, []).append((-item.bce, item.dice))
    means = [np.mean(epochs[number], axis=0) for number in sorted(epochs)]
    return [(float(one), float(other)) for one, other in means]
