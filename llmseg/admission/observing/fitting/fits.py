"""How a script trains, as fields of the library: what its optimiser, schedule and loaders do, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from llmseg.admission.observing.fitting.epochs import fit_epoch_loss
from llmseg.admission.observing.matching import Match
from llmseg.admission.observing.mistakes.choosing import find_wrong_weights
from llmseg.admission.observing.mistakes.learning import mean_losses
from llmseg.admission.observing.observation import Observation, Part
from llmseg.admission.scripts import Scripts
from llmseg.recipe.fit import Fit, Plateau
from llmseg.recipe.recipe import TEXTBOOK

_OPTIMIZERS = {"Adam": "adam", "AdamW": "adamw"}


def fit_fit(observation: Observation, scripts: Scripts | None) -> Fit | str:
    """Return the fields that say how the script trains, or what it does that none says.

    Args:
        observation: The observation.
        scripts: The scripts, ``None`` if their text is not at hand.
    """
    learnt = observation.learnt
    optimizers = observation.record.list("optimizer")
    if len(optimizers) != 1 or not learnt:
        return f"it has {len(optimizers)} optimisers"
    group, name = optimizers[0]["groups"][0], optimizers[0]["name"]
    if name not in _OPTIMIZERS or len(optimizers[0]["groups"]) > 1 or group.get("amsgrad"):
        return f"the optimiser is {name}"
    if [*group.get("betas", ())] != [0.9, 0.999] or group.get("eps") != 1e-8:
        return f"{name} has other moments than torch's"
    ways = {item.image.lies for each in learnt for item in each.items}
    if ways != {Match().lies}:
        return "images are changed at random" if len(ways) > 1 else "images are turned or cut"
    schedule = _fit_schedule(observation)
    if isinstance(schedule, str):
        return schedule
    orders = {tuple(each.ids for each in learnt if each.epoch == n) for n in range(1, observation.epochs + 1)}
    batch_size, tested = find_batch_size(observation, "training"), find_batch_size(observation, "test")
    loaders = observation.record.list("loader")
    kept = _fit_kept(observation)
    if kept not in ("last", "lowest-validation-loss"):
        return kept
    fields: dict[str, Any] = {
        "batch_size": batch_size,
        "test_batch_size": tested if tested and tested != batch_size else None,
        "epochs": observation.epochs,
        "fixed_batches": 1 if observation.epochs > 1 and len(orders) == 1 else None,
        "drop_last": any(loader["drops_last"] for loader in loaders),
        "optimizer": _OPTIMIZERS[name],
        "rate": group["lr"],
        "decay": group.get("weight_decay", 0.0),
        "schedule": schedule,
        "keep": kept,
        "epoch_loss": fit_epoch_loss(observation, scripts),
    }
    return replace(TEXTBOOK.fit, **fields)


def _fit_schedule(observation: Observation) -> Plateau | str | None:
    schedules = observation.record.list("schedule")
    if not schedules:
        return None
    settings = schedules[0]["settings"]
    if len(schedules) > 1 or schedules[0]["name"] != "ReduceLROnPlateau" or settings.get("mode") != "min":
        return f"the schedule is {schedules[0]['name']}"
    metrics = [step["metric"] for step in observation.record.list("schedule step")]
    losses = mean_losses(observation, "validation")
    if not any(np.allclose(metrics, each[: len(metrics)], rtol=1e-4) for each in losses if each):
        return "its schedule waits for something else than the validation loss"
    factor = settings.get("factor")
    return Plateau(factor=0.1 if factor is None else factor, patience=settings["patience"])


def _fit_kept(observation: Observation) -> str:
    """Return which weights are tested, or how they are others than the library can keep."""
    epochs, tested = observation.weights.epochs, observation.weights.tested
    taken = observation.record.list("take")
    if not taken:
        return "last" if not epochs or tested in ("", epochs[-1]) else "the weights that are tested come from elsewhere"
    if any(find_wrong_weights(observation)):
        return "the weights that are kept as the best are not the best"
    losses = mean_losses(observation, "validation")[0]
    if len(losses) == len(epochs) > 1 and tested == epochs[int(np.argmin(losses))]:
        return "lowest-validation-loss"
    return "the weights that are tested are not those of the lowest validation loss"


def find_batch_size(observation: Observation, part: Part) -> int:
    """Return the batch size of the loader of a part, otherwise that of its largest batch; 0 if there was none."""
    passes = observation.of(part)
    first = min((each.at for each in passes), default=0)
    before = [event["loader"] for event in observation.record.list("batch") if event.at < first]
    loaders = {event["loader"]: event["batch_size"] for event in observation.record.list("loader")}
    told = loaders.get(before[-1]) if before else None
    return told or max((len(each.items) for each in passes), default=0)
