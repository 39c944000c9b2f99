"""The way from image to output through most layers, and what joins it from the side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from llmseg.figures.network.trace import Step, Trace
from llmseg.figures.network.words import JOINS, LAYERS


@dataclass(frozen=True)
class Branch:
    """What comes to the way from the side.

    Attributes:
        source: Number of the step on the way from which it comes.
        target: Number of the step on the way that it joins.
        steps: Numbers of the steps between them, in order.
    """

    source: int
    target: int
    steps: tuple[int, ...]


def find_path(found: Trace) -> tuple[int, ...]:
    """Return the numbers of the steps on the way from the image to the output that has the most layers with weights.

    In a U-Net this is the way through the bottleneck, and in a residual block the one through its convolutions.
    """
    # Of ways with as many layers, the one that changes the size of maps least often; of these, the last one computed.
    merits = [(0, 0)]
    before: list[int | None] = [None]
    for step in found.steps[1:]:
        best = max(_maps_among(found.steps, step), key=lambda number: (*merits[number], number))
        before.append(best)
        layers, changes = merits[best]
        changed = step.shape[2:] != found.steps[best].shape[2:]
        merits.append((layers + (step.name in LAYERS), changes - changed))
    path = [found.output]
    while (previous := before[path[-1]]) is not None:
        path.append(previous)
    return tuple(reversed(path))


def _maps_among(steps: tuple[Step, ...], step: Step) -> tuple[int, ...]:
    """Return the inputs of a step, without those that are no maps but weights for maps, computed from them."""
    if JOINS.get(step.name) in ("added", "multiplied"):
        whole = tuple(number for number in step.inputs if steps[number].shape == step.shape)
        return whole or step.inputs
    return step.inputs


def find_branches(found: Trace, path: tuple[int, ...]) -> tuple[Branch, ...]:
    """Return what joins the way from the side, in the order in which it is joined."""
    on_path = set(path)
    branches = []
    for previous, number in pairwise(path):
        sides = list(found.steps[number].inputs)
        sides.remove(previous)
        for side in sides:
            sources, steps = _trace_back(found.steps, side, on_path)
            if sources:
                branches.append(Branch(min(sources), number, tuple(sorted(steps))))
    return tuple(branches)


def _trace_back(steps: tuple[Step, ...], start: int, on_path: set[int]) -> tuple[set[int], set[int]]:
    """Return the steps on the way from which a step comes, and those between."""
    sources: set[int] = set()
    between: set[int] = set()
    waiting = [start]
    while waiting:
        number = waiting.pop()
        if number in on_path:
            sources.add(number)
        elif number not in between:
            between.add(number)
            waiting += steps[number].inputs
    return sources, between
