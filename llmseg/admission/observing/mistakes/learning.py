"""Modes, optimisers, schedules and orders of the training: mistakes 8, 16, 20 and 24."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from llmseg.admission.findings import Finding
from llmseg.admission.observing.functions import find_loss, find_value, unscale_loss
from llmseg.admission.observing.mistakes.common import list_items
from llmseg.admission.observing.observation import Observation, Part, Pass
from llmseg.admission.observing.record import Event

Means = tuple[list[float], list[float]]
"""A value for each epoch, once averaged over batches and once over cases."""

_FEW = 3
_BY_EPOCH = ("StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "PolynomialLR")


def find_lost_modes(observation: Observation) -> Iterator[Finding]:
    """8: training goes on in evaluation mode."""
    learnt = [each for each in observation.of("training") if each.norms[0] or each.drops[0]]
    later = [each for each in learnt if each.epoch > 1]
    if learnt and learnt[0].is_training and later and not any(each.is_training for each in later):
        yield Finding(
            8,
            f"the network is in training mode in the first epoch and in evaluation mode in all {len(later)} steps "
            "after the first validation",
            later[0].place,
            "training mode in every epoch",
            "evaluation mode from the second on",
        )


def find_optimizer_faults(observation: Observation) -> Iterator[Finding]:
    """16: gradients of earlier steps are still there, or the optimiser holds other weights."""
    kept, cleared, last = 0, 0, ""
    place = ""
    for event in observation.record.list("step", "backward", "clear"):
        if event.name == "backward" and last in ("step", "clear"):
            is_kept = bool(event["gradient_before"])
            kept, cleared = kept + is_kept, cleared + (not is_kept)
            place = event.place
        last = event.name
    if kept >= _FEW and kept > cleared:
        yield Finding(
            16,
            f"gradients of the step before were still there at {kept} of {kept + cleared} steps after the first",
            place,
            "cleared gradients",
            "a sum over all steps so far",
        )
    steps = [step for step in observation.record.list("step") if step["learnable"]]
    optimizers = {step["optimizer"] for step in steps}
    if len(steps) >= _FEW and all(step["held"] == 0 for step in steps):
        yield Finding(
            16,
            f"the optimiser holds none of the {steps[0]['learnable']} learnable tensors of the network that is trained",
            steps[0].place,
            "the weights of the network in use",
            "weights of another one",
        )
    elif len(optimizers) == 1 and len(steps) >= _FEW and all(step["left_out"] for step in steps):
        names = ", ".join(steps[0]["left_out"][:3])
        yield Finding(
            16,
            f"{steps[0]['learnable'] - steps[0]['held']} learnable tensors get gradients and no step: {names}",
            steps[0].place,
            "all learnable weights in the optimiser",
            f"{steps[0]['held']} of {steps[0]['learnable']}",
            "likely",
        )


def find_schedule_faults(observation: Observation) -> Iterator[Finding]:
    """16: a schedule that waits for a loss to rise, or that is stepped at the wrong place."""
    schedules = {event["schedule"]: event for event in observation.record.list("schedule")}
    for number, schedule in schedules.items():
        steps = [each for each in observation.record.list("schedule step") if each["schedule"] == number]
        if schedule["name"] == "ReduceLROnPlateau":
            yield from _check_plateau(observation, schedule, steps)
        elif schedule["name"] == "CosineAnnealingLR" and len(steps) > schedule["settings"].get("T_max", len(steps)):
            updates = len(observation.record.list("step"))
            if len(steps) == updates:
                yield Finding(
                    16,
                    f"the schedule is stepped {len(steps)} times, after every batch, and is made for "
                    f"{schedule['settings']['T_max']} steps, so the rate rises again",
                    steps[0].place,
                    "a step after every epoch",
                    "a step after every batch",
                )
        if steps and steps[0]["steps"] == 0 and schedule["name"] in _BY_EPOCH:
            yield Finding(
                16,
                "the schedule is stepped before the optimiser, so the first rate is never used",
                steps[0].place,
                "a step after those of the optimiser",
                "a step before the first one",
                "likely",
            )


def _check_plateau(observation: Observation, schedule: Event, steps: list[Event]) -> Iterator[Finding]:
    mode = schedule["settings"].get("mode")
    metrics = [step["metric"] for step in steps]
    if len(metrics) < 2 or None in metrics or mode != "max":
        return
    for part in ("validation", "training"):
        losses = mean_losses(observation, part)
        if any(_are_equal(metrics, series[: len(metrics)]) for series in losses):
            yield Finding(
                16,
                f"the schedule waits for a value to rise, and gets the {part} loss: "
                + ", ".join(f"{metric:.4g}" for metric in metrics),
                schedule.place,
                "mode 'min' for a loss",
                "mode 'max'",
            )
            return


def _are_equal(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) <= 1e-4 * max(abs(b), 1e-8) for a, b in zip(one, other, strict=True)
    )


def mean_losses(observation: Observation, part: Part) -> Means:
    """Return the loss of a part in each epoch, as a mean over batches and over cases; empty if it is not computed."""
    if part == "training":
        return _average(observation, part, lambda each: each.loss)
    found = _average_formula(observation, part, find_loss)
    # A training that adds up gradients divides its loss, and its validation need not.
    return found if found[0] else _average_formula(observation, part, _find_unscaled)


def mean_unscaled_losses(observation: Observation) -> Means:
    """Return the same of the training, of losses before they were divided or multiplied by numbers."""
    return _average_formula(observation, "training", _find_unscaled)


def _find_unscaled(seen: Pass) -> tuple[str, ...]:
    return unscale_loss(seen)[0]


def _average_formula(observation: Observation, part: Part, find: Callable[[Pass], tuple[str, ...]]) -> Means:
    """Return the means of what the usual formula of the training gives in a part."""
    formulas = Counter(map(find, observation.of("training")))
    formula = formulas.most_common(1)[0][0] if formulas else ()
    return _average(observation, part, lambda each: find_value(each, formula))


def _average(observation: Observation, part: Part, value_of: Callable[[Pass], float | None]) -> Means:
    by_batch, by_case = [], []
    for epoch in range(1, observation.epochs + 1):
        passes = [each for each in observation.of(part) if each.epoch == epoch]
        values = [value_of(each) for each in passes]
        known = [(value, len(each.items)) for value, each in zip(values, passes, strict=True) if value is not None]
        if not known or len(known) < len(passes):
            return [], []
        by_batch.append(sum(value for value, _ in known) / len(known))
        by_case.append(sum(value * count for value, count in known) / sum(count for _, count in known))
    return by_batch, by_case


def _draw_alike(observation: Observation, starts: list[Event]) -> bool:
    """Return whether workers hold equal generators, and the first batches of an epoch are turned alike by them."""
    if (
        len(starts) < 2
        or len({event["states"].get("own") for event in starts}) > 1
        or not starts[0]["states"].get("own")
    ):
        return False
    workers = len({event["worker"] for event in starts})
    epochs = [
        [tuple(item.image.turn for item in each.items) for each in observation.of("training") if each.epoch == epoch]
        for epoch in range(1, observation.epochs + 1)
    ]
    first = [turns[:workers] for turns in epochs]
    is_turned = len({turn for batches in first for turns in batches for turn in turns}) > 1
    return workers > 1 and is_turned and all(len(set(batches)) == 1 < len(batches) for batches in first)


def find_repeated_draws(observation: Observation) -> Iterator[Finding]:
    """20: workers begin with the same random numbers, again and again."""
    starts = [event for event in observation.record.others if event.name == "worker"]
    repeated = [
        name
        for name in ("random", "numpy", "torch")
        if len(starts) >= 2 and len({event["states"].get(name) for event in starts}) == 1
        if starts[0]["states"].get(name)
    ]
    if not repeated and _draw_alike(observation, starts):
        repeated = ["the dataset's own generator"]
    ways = {item.image.lies for _, item in list_items(observation.of("training"))}
    versions = {(item.id, item.input_sha) for _, item in list_items(observation.of("training")) if item.id}
    is_changed = len(ways) > 1 or len(versions) > len({id for id, _ in versions})
    if repeated and is_changed:
        loader = next((each for each in observation.record.list("loader") if each["workers"]), None)
        yield Finding(
            20,
            f"{len(starts)} workers, in all epochs, begin with one and the same state of {' and '.join(repeated)}, and "
            "images are changed at random",
            loader.place if loader is not None else "",
            "another state for each worker in each epoch",
            "one state for all",
        )


def find_fixed_orders(observation: Observation) -> Iterator[Finding]:
    """24: every epoch has the order of the first."""
    orders = [
        [item.id for _, item in list_items(each for each in observation.of("training") if each.epoch == epoch)]
        for epoch in range(1, observation.epochs + 1)
    ]
    cases = len(set(orders[0])) if orders else 0
    if len(orders) >= 2 and cases >= 6 and all(order == orders[0] and all(order) for order in orders):
        loader = next(iter(observation.record.list("loader")), None)
        yield Finding(
            24,
            f"{cases} cases come in the same order in all {len(orders)} epochs: {', '.join(orders[0][:4])} ...",
            loader.place if loader is not None else observation.of("training")[0].place,
            "another order in each epoch",
            "one order",
            quirk="fixed-batches",
        )
