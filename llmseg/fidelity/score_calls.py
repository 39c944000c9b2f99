"""Which calls a script makes of its score: with whole batches, or with single cases.

A record has what the script's function gives for a call with a whole batch. A script that calls it with single cases
only never sees that value, and it does not say whether the function pools the pixels of a batch or takes a mean of its
cases. What a script calls is seen from the lists of the bookkeeping run, where batches and cases differ in number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from llmseg.fidelity.records import get_entry
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score

Over = Literal["batch", "case"]


def list_phases(recipe: Recipe) -> dict[str, Score]:
    """Return the score of each phase of a recipe that has one."""
    return {"validation": recipe.score} | ({} if recipe.test is None else {"test": recipe.test})


def find_calls_over_batch(record: Mapping[str, Any], recipe: Recipe) -> set[Over]:
    """Return what one value is taken over when the script calls its function with a whole batch.

    Returns:
        ``batch`` if the function pools the pixels of the batch, ``case`` if it takes the mean of its cases. The set is
        empty if the script calls the function with single cases only.

    Raises:
        UserError: The record has no bookkeeping.
    """
    overs: set[Over] = {
        score.over for phase, score in list_phases(recipe).items() if not _calls_single_cases(record, phase)
    }
    # A script whose phases differ has one function that pools, and calls it case by case in one of them.
    return {"batch"} if len(overs) > 1 else overs


def _calls_single_cases(record: Mapping[str, Any], phase: str) -> bool:
    """Whether the bookkeeping run lists a value per case, not per batch; a function that returns one number did so."""
    where, name = {
        "validation": ("bookkeeping.epochs_result.val_dice", "val"),
        "test": ("bookkeeping.test_dice", "test"),
    }[phase]
    loader, epochs = get_entry(record, f"bookkeeping.loaders.{name}"), get_entry(record, "bookkeeping.epochs")
    count, passes = len(flatten_cells(get_entry(record, where))), {1, epochs}
    if loader["batches"] == loader["n"]:
        return True
    # A script that overwrites its sheet leaves one pass; so does the test.
    return count in {loader["n"] * times for times in passes} - {loader["batches"] * times for times in passes}


def flatten_cells(cells: Any) -> list[float]:
    """Return the numbers in recorded sheets, in the order in which the script computed them.

    A row shorter than the others ends in empty cells (``None``). In most scripts a row is a batch or an epoch, and only
    the last one can be short. Where an earlier row is short, the sheet has a batch per column.

    Args:
        cells: A number, a list of rows, or a mapping from file or sheet to these; ``None`` for no sheet.

    Example:
        >>> flatten_cells({"a.xlsx": [[1.0, "nan"], [2.0, None]]})
        [1.0, nan, 2.0]
        >>> flatten_cells([[1.0, 3.0], [2.0, None], [2.5, None]])
        [1.0, 2.0, 2.5, 3.0]
    """
    if cells is None:
        return []
    if isinstance(cells, Mapping):
        cells = list(cells.values())
    if isinstance(cells, list):
        if any(isinstance(row, list) and None in row for row in cells[:-1]):
            cells = [list(column) for column in zip(*cells, strict=True)]
        return [number for cell in cells for number in flatten_cells(cell)]
    return [float(cells)]
