"""Numbers that are written down: mistakes 17 and 22."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmseg.admission.findings import Finding
from llmseg.admission.observing.functions import find_loss, find_value, unscale_loss
from llmseg.admission.observing.mistakes.common import list_items
from llmseg.admission.observing.mistakes.learning import mean_losses, mean_unscaled_losses
from llmseg.admission.observing.observation import Observation, Part, Pass
from llmseg.admission.observing.record import Event

_CLOSE = 1e-4


def find_wrong_sums(observation: Observation) -> Iterator[Finding]:
    """17: a row of losses or scores that was added up wrongly."""
    tables = observation.record.list("table")
    for table in tables:
        rows = [[value for value in row if value is not None and not math.isnan(value)] for row in table["rows"]]
        if _grows(observation, rows):
            yield Finding(
                17,
                f"in {_name(table)} each epoch has the values of the epochs before it, and then its own: "
                f"{', '.join(str(len(row)) for row in rows if row)} values",
                table.place,
                "the values of one epoch in each row",
                "those of all epochs so far",
            )
            return
    losses = list(_list_losses(observation)) if tables else []
    for table in tables:
        for row in _list_series(table, observation.epochs):
            found = _explain(losses, row)
            if found:
                yield Finding(
                    17,
                    f"{_name(table)} has {', '.join(f'{value:.4g}' for value in row)}: {found}",
                    table.place,
                    "the mean of an epoch",
                    found,
                    quirk="shrunk-epoch-loss" if "number of cases" in found else None,
                    repair="fit.epoch_loss=cases" if "number of cases" in found else None,
                )
                return


def _name(table: Event) -> str:
    return str(table["path"]).replace("\\", "/").rsplit("/", 1)[-1]


def _grows(observation: Observation, rows: list[list[float]]) -> bool:
    """Return whether each row begins with the one before it and has as many more values as the first."""
    rows = [row for row in rows if row]
    for kept in (rows, rows[1:]):
        if kept and kept[0] == list(range(len(kept[0]))):
            continue  # numbers of columns
        if len(kept) == observation.epochs >= 2:
            lengths = [len(row) for row in kept]
            begins = all(later[: len(row)] == row for row, later in itertools.pairwise(kept))
            if begins and lengths == [lengths[0] * (number + 1) for number in range(len(kept))]:
                return True
    return False


def _list_series(table: Event, epochs: int) -> Iterator[list[float]]:
    """Yield the rows and columns of a table that have a number for each epoch."""
    rows = table["rows"]
    columns = [[row[number] for row in rows if number < len(row)] for number in range(max(map(len, rows), default=0))]
    for line in [*rows, *columns, *(column[1:] for column in columns)]:
        values = [value for value in line if value is not None and not math.isnan(value)]
        if len(values) == epochs and values != list(range(1, epochs + 1)) and values != list(range(epochs)):
            yield values


@dataclass(frozen=True)
class _Losses:
    """The losses of a part, epoch by epoch.

    Attributes:
        part: The part.
        by_batch: Means over batches.
        by_case: Means over cases.
        batches: How many batches an epoch has.
        cases: How many cases.
        divided: Both means of what went backward, if it was divided only to be added up again; otherwise empty.
        divisor: What it was divided by.
    """

    part: Part
    by_batch: list[float]
    by_case: list[float]
    batches: int
    cases: int
    divided: tuple[list[float], ...] = ()
    divisor: float = 1.0


def _list_losses(observation: Observation) -> Iterator[_Losses]:
    parts: tuple[Part, ...] = ("training", "validation")
    for part in parts:
        means, divisor = mean_losses(observation, part), 1.0
        divided: tuple[list[float], ...] = ()
        if part == "training" and (whole := mean_unscaled_losses(observation))[0]:
            if _divides_to_add_up(observation):
                divided, divisor = means, unscale_loss(observation.learnt[0])[1]
            means = whole
        if means[0]:
            passes = [each for each in observation.of(part) if each.epoch == 1]
            cases = sum(len(each.items) for each in passes)
            yield _Losses(part, *means, len(passes), cases, divided, divisor)


def _explain(losses: Sequence[_Losses], row: Sequence[float]) -> str:
    """Return which wrong sum a row is, empty if it is a right one or none that is known."""
    for each in losses:
        if _fits_one(row, (each.by_batch, each.by_case)):
            return ""
        if _fits_one(row, each.divided):
            return f"the loss over {each.divisor:.4g}, which is divided only to be added up again"
        if len(row) < 2 or each.batches == each.cases:
            continue
        by_batch, by_case, share = each.by_batch, each.by_case, each.batches / each.cases
        for wrong, text in (
            ([mean * share for mean in by_batch], "the sum of the means of batches over the number of cases"),
            ([mean / share for mean in by_case], "the sum over cases over the number of batches"),
            (_accumulate(by_batch), f"the {each.part} loss of all epochs so far, never set back"),
            (_accumulate(by_case), f"the {each.part} loss of all epochs so far, never set back"),
            (_average(by_batch), f"the mean of the {each.part} loss over all epochs so far, never set back"),
        ):
            if _fits(row, wrong):
                return text
    return ""


def _divides_to_add_up(observation: Observation) -> bool:
    """Return whether gradients of several batches are added up, and the validation does not divide its loss."""
    scored, (seen, *_) = observation.of("validation"), observation.learnt
    formula, divisor = unscale_loss(seen)
    is_added_up = len(observation.record.list("step")) < len(observation.of("training"))
    if not scored or not is_added_up or divisor == 1:
        return False
    return find_value(scored[0], formula) is not None and find_value(scored[0], find_loss(seen)) is None


def _accumulate(values: Sequence[float]) -> list[float]:
    return [sum(values[: number + 1]) for number in range(len(values))]


def _average(values: Sequence[float]) -> list[float]:
    return [total / (number + 1) for number, total in enumerate(_accumulate(values))]


def _fits_one(row: Sequence[float], series: Sequence[Sequence[float]]) -> bool:
    return any(_fits(row, each) for each in series)


def _fits(row: Sequence[float], other: Sequence[float]) -> bool:
    return len(row) == len(other) and all(
        abs(a - b) <= _CLOSE * max(abs(b), 1e-9) for a, b in zip(row, other, strict=True)
    )


def find_invented_scores(observation: Observation) -> Iterator[Finding]:
    """22: the test cases are loaded, never shown to the network, and a score is written for each."""
    learnt = [each for each in observation.passes if each.learns]
    if not learnt or observation.of("test"):
        return
    shown = {item.id for _, item in list_items(observation.passes)}
    late = [batch for batch in observation.batches if batch.at > _last(learnt).at and set(batch.ids) - {""}]
    unseen = [batch for batch in late if not set(batch.ids) & shown]
    tables = [each for each in observation.record.list("table") if unseen and each.at > unseen[-1].at]
    lengths = {len(unseen), sum(len(batch.ids) for batch in unseen)}
    for table in tables:
        for row in table["rows"]:
            values = [value for value in row if value is not None and 0 <= value <= 1]
            if len(values) in lengths and values != list(range(len(values))):
                yield Finding(
                    22,
                    f"{len(unseen)} of {len(late)} batches that are loaded after the training never reach the network, "
                    f"and {_name(table)} has {', '.join(f'{value:.4g}' for value in values[:5])}",
                    table.place,
                    "scores of predictions",
                    "numbers without a prediction",
                )
                return


def _last(passes: Sequence[Pass]) -> Pass:
    return max(passes, key=lambda each: each.at)
