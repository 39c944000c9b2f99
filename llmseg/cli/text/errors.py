"""What llmseg errors prints."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import llmseg
from llmseg.cli.text.layout import align_columns, section
from llmseg.stats.words import count_text, sentence

if TYPE_CHECKING:
    import pandas as pd


def describe_errors(sets: Mapping[str, pd.DataFrame], totals: pd.DataFrame) -> str:
    """Return a grid of phases and categories per set, then a row per answer with the study's own count.

    Args:
        sets: Errors by the title of their set.
        totals: As :func:`llmseg.stats.published_error_totals` returns them, of the first set.
    """
    grids = [_describe_grid(title, errors) for title, errors in sets.items()]
    notes = [f"{_answer(row)}: {sentence(row['note'])}" for row in totals.to_dict("records") if row["note"]]
    return "\n\n".join(
        [*grids, _describe_answers(sets, totals), section("Where the study disagrees with itself", notes)]
    )


def list_errors(sets: Mapping[str, pd.DataFrame]) -> str:
    """Return every error as a row, in the order in which it came up."""
    header = ("", "model", "phase", "exception", "category", "description")
    rows = [
        (title, _answer(row), row["phase"], row["exception"], row["category"], row["description"])
        for title, errors in sets.items()
        for row in errors[errors["phase"] != ""].to_dict("records")
    ]
    return align_columns([header, *rows])


def _describe_grid(title: str, errors: pd.DataFrame) -> str:
    grid = llmseg.stats.count_errors(errors)
    rows = [
        (phase, *(str(number) if number else "." for number in numbers), str(numbers.sum()))
        for phase, numbers in zip(grid.index, grid.to_numpy(), strict=True)
    ]
    sums = ("all", *(str(number) for number in grid.sum()), str(grid.to_numpy().sum()))
    count = count_text(int(grid.to_numpy().sum()), "error")
    return f"{title}, {count}:\n" + align_columns([("phase", *grid.columns, "all"), *rows, sums])


def _describe_answers(sets: Mapping[str, pd.DataFrame], totals: pd.DataFrame) -> str:
    phases = list(llmseg.stats.ERROR_PHASES)
    counted = {_answer(row): str(row["counted"]) for row in totals.to_dict("records")}
    rows = []
    for errors, answers in zip(sets.values(), [list(counted), *([] for _ in range(len(sets) - 1))], strict=True):
        named = [_answer(row) for row in errors.to_dict("records")]
        for answer in dict.fromkeys([*answers, *named]):
            mine = [phase for phase, name in zip(errors["phase"], named, strict=True) if name == answer and phase]
            numbers = (str(mine.count(phase) or ".") for phase in phases)
            rows.append((answer, *numbers, str(len(mine)), counted.get(answer, "-") if answers else "-"))
    return align_columns([("model", *phases, "all", "counted by the study"), *rows])


def _answer(row: Mapping[Hashable, object]) -> str:
    """Return the name of a model, with the number of the answer if there are several."""
    run = str(row.get("run", ""))
    return f"{row['model']}@run-{int(run):02d}" if run else str(row["model"])
