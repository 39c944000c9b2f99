"""What several rules ask of an observation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from llmseg.admission.observing.observation import Item, Observation, Part, Pass

SCORED: tuple[Part, ...] = ("validation", "test")


def list_items(passes: Iterable[Pass]) -> Iterator[tuple[Pass, Item]]:
    """Yield every image of some passes with its pass."""
    for each in passes:
        for item in each.items:
            yield each, item


def list_scored(observation: Observation) -> list[Pass]:
    """Return the passes by which scores are taken: the validation, and the first loop over the test cases."""
    tested = observation.of("test")
    return [*observation.of("validation"), *(each for each in tested if each.block == tested[0].block)]


def is_clean(observation: Observation, id: str) -> bool:
    """Return whether the file of a case's mask has its two values only: no noise is drawn, and it is no JPEG."""
    if any(each.is_mask and each.is_lossy for each in observation.opened):
        return False
    return bool(id) and not has_noise(observation, id)


def has_noise(observation: Observation, id: str) -> bool:
    """Return whether noise was drawn into the mask of a case."""
    return bool((observation.phantoms.noisy_mask(id) != observation.phantoms.mask(id)).any())


def place_of_reading(observation: Observation, *, masks: bool) -> str:
    """Return the line in which most images or masks are opened during the training, empty if that was not seen."""
    learnt = [each.at for each in observation.passes if each.learns]
    opened = [
        each.place
        for each in observation.opened
        if each.is_mask == masks and not each.copies and each.place and learnt and each.at < learnt[-1]
    ]
    return Counter(opened).most_common(1)[0][0] if opened else ""
