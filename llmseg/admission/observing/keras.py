"""What was seen of a script that trains with Keras: facts, stages, losses and weights, and no images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from llmseg.admission.observing.record import Event, Record

_SCHEDULES = ("ReduceLROnPlateau", "LearningRateScheduler")


def trains_with_keras(record: Record) -> bool:
    """Return whether an optimizer of Keras stepped."""
    return bool(record.list("keras step"))


def read_keras_facts(record: Record) -> dict[str, Any]:
    """Return the facts that Keras's own objects tell, under the names of :func:`llmseg.admission.read_facts`."""
    facts = dict(_list_facts(record)) if trains_with_keras(record) else {}
    return {name: value for name, value in facts.items() if value is not None}


def _list_facts(record: Record) -> Iterator[tuple[str, Any]]:
    step = record.list("keras step")[0]
    yield "parameters", sum(step["sizes"]) or None
    before = [event for event in record.list("keras call") if event.at < step.at]
    shapes = [event["shape"] for event in [*record.list("keras epoch"), *before] if len(event["shape"] or ()) == 4]
    if shapes:
        _, height, width, channels = shapes[0]
        yield "channels", channels
        yield "size", height if height == width else [height, width]
    # The last batch of an epoch may be smaller.
    sizes = [event["size"] for event in record.list("keras batch")] or [shape[0] for shape in shapes]
    yield "batch_size", max((size for size in sizes if size), default=None)
    yield "optimizer", step["name"]
    yield "rate", step["rate"]
    yield "decay", step["decay"]
    callbacks = [name for event in record.list("keras fit") for name in event["callbacks"]]
    yield "schedule", step["schedule"] or next((name for name in callbacks if name in _SCHEDULES), None)
    yield "epochs", len(_list_epochs(record)) or None
    losses = [event["name"] for event in record.list("keras loss")]
    yield "loss", {"name": losses[0]} if losses else None


def list_keras_losses(record: Record) -> tuple[float, ...]:
    """Return the losses that ``fit`` gives after each step, each the mean of its epoch so far."""
    return tuple(event["loss"] for event in record.list("keras trained") if event["loss"] is not None)


@dataclass(frozen=True)
class _Scored:
    """A moment at which a model was scored.

    Attributes:
        event: The event.
        weights: Digest of its weights.
    """

    event: Event
    weights: str


def _list_scored(record: Record) -> list[_Scored]:
    """Return when a model was scored after its first step. What is not new is not digested again."""
    found, weights = [], ""
    for event in record.list("keras scored"):
        weights = event["weights"] or weights
        if event["steps"]:
            found.append(_Scored(event, weights))
    return found


def _list_epochs(record: Record) -> list[str]:
    """Return the digest of weights after each epoch: those that ``fit`` tells, or between steps that a script makes."""
    told = [event["weights"] for event in record.list("keras epoch")]
    groups = groupby(_list_scored(record), lambda each: each.event["steps"])
    return told or [next(group).weights for _, group in groups]


def _divide_scored(record: Record) -> tuple[list[_Scored], list[_Scored]]:
    """Return what was scored between epochs, and what after the last one.

    A script that makes its steps itself also scores its last epoch: as often as the one before, or else in one line.
    """
    scored = _list_scored(record)
    groups = [list(group) for _, group in groupby(scored, lambda each: each.event["steps"])]
    own = [[each for each in group if not each.event["validates"]] for group in groups]
    if not own:
        return [], []
    count = len(own[-2]) if len(own) > 1 else 0
    if len(own) == 1 and not record.list("keras fit"):
        count = sum(each.event.place == own[0][0].event.place for each in own[0])
    tested = own[-1][count:]
    return [each for each in scored if each not in tested], tested


def read_keras_weights(record: Record) -> tuple[tuple[str, ...], str]:
    """Return digests of the weights after each epoch, and of those that were tested; empty if that was not seen."""
    tested = _divide_scored(record)[1]
    return tuple(_list_epochs(record)), tested[0].weights if tested else ""


def find_keras_reached(record: Record) -> dict[str, str]:
    """Return the stages that were reached, each with the line."""
    validated, tested = _divide_scored(record)
    epochs = record.list("keras epoch")
    first = {
        "data": record.list("keras input", "keras call", "keras trained"),
        "network": record.list("keras call", "keras trained"),
        "first step": record.list("keras step"),
        "epoch": epochs or [each.event for each in [*validated, *tested]],
        "validation": [each.event for each in validated],
        "test": [each.event for each in tested],
    }
    return {stage: events[0].place for stage, events in first.items() if events}
