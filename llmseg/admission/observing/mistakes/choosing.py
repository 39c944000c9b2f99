"""Weights that are kept, and what they are chosen by: mistakes 11 and 18."""

from __future__ import annotations

from collections.abc import Iterator

from llmseg.admission.findings import Finding
from llmseg.admission.observing.functions import COMPARISONS, find_ancestors, list_numbers
from llmseg.admission.observing.mistakes.learning import mean_losses
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.observing.record import Event

_BEST = ("best", "max", "min", "lowest", "highest", "prev", "last", "record")
_SCORES = ("dice", "iou", "jaccard", "acc", "f1")
_TRIED = 3
"""So many thresholds are tried at least."""


def find_choices_on_test(observation: Observation) -> Iterator[Finding]:
    """11: the cases by which weights are chosen are those of the test."""
    parts = observation.parts
    if not parts.test or set(parts.test) != set(parts.validation) or set(parts.test) & set(parts.training):
        return
    chosen = list(_list_choices(observation))
    waits = [event for event in observation.record.list("schedule step") if event["metric"] is not None]
    if chosen or waits:
        event = (chosen or waits)[0]
        yield Finding(
            11,
            f"the {len(parts.test)} cases that are tested in the end are those by which weights or rates are chosen in "
            "every epoch",
            observation.of("validation")[0].place,
            "other cases for choosing and for testing",
            f"the same; the choice is made in {event.place}",
        )


def find_thresholds_on_test(observation: Observation) -> Iterator[Finding]:
    """11: several thresholds are tried on the outputs of the test, and the scores of a chosen one are reported.

    Trying several is right for a curve. So it counts only if one of them comes again after all were tried, and is not
    the one that the validation uses.
    """
    compared = [each for seen in observation.of("test") for each in _list_comparisons(seen)]
    numbers = [list_numbers(each)[0] for each in compared]
    first = {number: numbers.index(number) for number in numbers}
    if len(first) < _TRIED:
        return
    kept = set(numbers[max(first.values()) + 1 :])
    usual = {list_numbers(each)[0] for seen in observation.of("validation") for each in _list_comparisons(seen)}
    if len(kept) == 1 and usual and not kept & usual:
        yield Finding(
            11,
            f"{len(first)} thresholds are tried on the outputs of the test, and then {kept.pop():.3g} is used for them",
            compared[0].place,
            f"a threshold that is chosen on other cases, such as {min(usual):.3g} in the validation",
            "one that is chosen on those that it is scored on",
            certainty="likely",
        )


def _list_comparisons(seen: Pass) -> Iterator[Event]:
    """Yield the comparisons of what a network gave with a number."""
    for function in seen.functions:
        if function["name"] in COMPARISONS and len(list_numbers(function)) == 1:
            yield function


def _list_choices(observation: Observation) -> Iterator[Event]:
    """Yield the events by which weights are kept, or taken up again, on a condition."""
    yield from observation.record.list("take")
    for event in observation.record.list("save", "state"):
        if event["condition"] is not None and _read_comparison(event) is not None:
            yield event


def _read_comparison(event: Event) -> tuple[str, float | None, bool] | None:
    """Return (the text of the compared value, its number, whether higher ones are kept) of a condition like
    ``loss < best``; ``None`` if it is no such comparison.
    """
    condition = event["condition"]
    operator = condition["operator"]
    if operator not in ("Lt", "LtE", "Gt", "GtE"):
        return None
    is_best = [any(word in side.lower() for word in _BEST) for side in condition["sides"]]
    if sum(is_best) != 1:
        return None
    metric = is_best.index(False)
    is_higher = operator.startswith("Gt") == (metric == 0)
    return condition["sides"][metric], condition["values"][metric], is_higher


def find_wrong_weights(observation: Observation) -> Iterator[Finding]:
    """18: what is kept as the best is not the best."""
    aliased = [
        event for event in observation.record.list("take") if event["tensors"] and event["own"] == event["tensors"]
    ]
    steps = [event["steps"] for event in observation.record.list("state")]
    for event in aliased:
        if any(each < event["steps"] for each in steps):
            yield Finding(
                18,
                f"all {event['own']} tensors that the network takes up as the kept ones are its own: a state that is "
                "not copied changes with the training",
                event.place,
                "a copy of the weights at the best epoch",
                "the weights of the last step",
            )
            return
    for event in observation.record.list("save", "state"):
        finding = _check_direction(observation, event)
        if finding is not None:
            yield finding
            return


def _check_direction(observation: Observation, event: Event) -> Finding | None:
    """Return a finding if weights are kept when a loss is higher, or a score lower, than ever before."""
    read = _read_comparison(event) if event["condition"] is not None else None
    if read is None or read[1] is None:
        return None
    text, number, is_higher = read
    value = float(number or 0)
    kind = _tell_kind(observation, text, value)
    if kind == ("loss" if is_higher else "score"):
        return Finding(
            18,
            f"weights are kept if '{event['condition']['text']}', and '{text}' is a {kind} ({value:.4g})",
            event.place,
            f"{'lower' if kind == 'loss' else 'higher'} than the best so far",
            f"{'higher' if is_higher else 'lower'} than it",
        )
    return None


def _tell_kind(observation: Observation, text: str, value: float) -> str:
    """Return whether a value is a loss or a score: it is that of the validation or training, or is called so."""
    for part in ("validation", "training"):
        if any(abs(each - value) <= 1e-4 * abs(each) for series in mean_losses(observation, part) for each in series):
            return "loss"
    if any(abs(each - value) <= 1e-4 * max(abs(each), 1e-9) for each in _list_scores(observation) if each > 0.01):
        return "score"
    words = text.lower()
    is_loss, is_score = "loss" in words, any(word in words for word in _SCORES)
    if is_loss == is_score or "neg" in words or value < 0:
        return ""
    return "loss" if is_loss else "score"


def _list_scores(observation: Observation) -> list[float]:
    """Return the mean, for each epoch, of what the validation computes from thresholded outputs."""
    found = []
    for epoch in range(1, observation.epochs + 1):
        values = []
        for each in (each for each in observation.of("validation") if each.epoch == epoch):
            for function in each.functions:
                for result in function["results"] or ():
                    names = {event["name"] for event in find_ancestors(each.functions, result["tensor"])}
                    if (
                        result.get("value") is not None
                        and names & {*COMPARISONS, "round"}
                        and 0 <= result["value"] <= 1
                    ):
                        values.append((each.number, result["value"]))
        last = dict(values)
        if last:
            found.append(sum(last.values()) / len(last))
    return found
