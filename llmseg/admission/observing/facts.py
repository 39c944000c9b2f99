"""What a recipe says, read from an observation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from llmseg.admission.observing.fitting.fits import find_batch_size
from llmseg.admission.observing.keras import read_keras_facts, trains_with_keras
from llmseg.admission.observing.observation import Observation
from llmseg.admission.observing.terms import read_loss


def read_facts(observation: Observation) -> dict[str, Any]:
    """Return the facts that were seen; what was not seen is left out, and nothing is rounded to what is known.

    The keys are ``parameters`` (learnable ones of the network that is trained), ``channels`` and ``size`` of its input,
    ``batch_size``, ``optimizer`` and ``rate`` (as it is made with), ``schedule``, ``epochs`` (those that were run),
    ``loss`` and ``split`` (shares of the cases in each part). Of a training with Keras they are what its own objects
    tell, without ``split``; the loss then has its name only.

    Args:
        observation: Of a run of one epoch at least.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from llmseg.admission import Phantoms, read_facts, read_observation
        >>> with tempfile.TemporaryDirectory() as empty:
        ...     read_facts(read_observation(Path(empty), Phantoms(12)))
        {}
    """
    if trains_with_keras(observation.record):
        return read_keras_facts(observation.record)
    return {name: value for name, value in _list_facts(observation) if value is not None}


def _list_facts(observation: Observation) -> Iterator[tuple[str, Any]]:
    learnt = observation.learnt
    if not learnt:
        return
    network = next(each for each in observation.record.list("network") if each["network"] == learnt[0].network)
    shapes = [shape for _, shape, is_learnable in network["parameters"] if is_learnable]
    yield "parameters", sum(_multiply(shape) for shape in shapes)
    images = learnt[0].images
    if images is not None:
        height, width = images.shape[-2:]
        yield "channels", images.shape[1]
        yield "size", height if height == width else [height, width]
    yield "batch_size", find_batch_size(observation, "training")
    optimizers = observation.record.list("optimizer")
    used = Counter(step["optimizer"] for step in observation.record.list("step")).most_common(1)
    optimizer = next((each for each in optimizers if used and each["optimizer"] == used[0][0]), None)
    if optimizer is not None:
        yield "optimizer", optimizer["name"]
        yield "rate", optimizer["groups"][0].get("lr")
        yield "decay", optimizer["groups"][0].get("weight_decay")
    yield "schedule", next((each["name"] for each in observation.record.list("schedule")), None)
    yield "epochs", observation.epochs
    loss = read_loss(learnt[0])
    yield "loss", None if loss is None else _describe(loss)
    parts = observation.parts
    shares = {name: len(cases) / observation.phantoms.count for name, cases in asdict(parts).items() if cases}
    yield "split", shares or None


def _describe(loss: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"terms": loss.terms, "reads": loss.reads}
    if loss.ratio is not None:
        ratio = {name: value for name, value in asdict(loss.ratio).items() if name != "name" and value is not None}
        facts |= ratio
    for name, value in (("constant", loss.constant), ("pos_weight", loss.positive_weight), ("foreign", loss.foreign)):
        if value:
            facts[name] = list(value) if name == "foreign" else value
    return facts


def _multiply(shape: list[int]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total
