"""How a script averages the loss of an epoch: from the tables that it writes, otherwise from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from llmseg.admission.observing.mistakes.learning import mean_losses
from llmseg.admission.observing.observation import Observation
from llmseg.admission.observing.record import Event
from llmseg.admission.scripts import Script, Scripts
from llmseg.recipe.recipe import TEXTBOOK

_CLOSE, _CLEARLY = 1e-3, 20


def fit_epoch_loss(observation: Observation, scripts: Scripts | None) -> Any:
    """Return how the loss of an epoch is averaged, as far as that is known; otherwise as the textbook has it.

    Args:
        observation: The observation.
        scripts: The scripts, ``None`` if their text is not at hand. It counts where all batches are full.
    """
    by_batch, by_case = mean_losses(observation, "training")
    if by_batch:
        steps = [[each for each in observation.of("training") if each.epoch == n + 1] for n in range(len(by_batch))]
        shares = [len(passes) / sum(len(each.items) for each in passes) for passes in steps]
        ways = {"cases": by_case, "batches": by_batch, "batches-over-cases": list(np.multiply(by_batch, shares))}
        for table in observation.record.list("table"):
            for series in _list_series(table, len(by_batch)):
                named = _name_nearest(series, ways)
                if named is not None:
                    return named
    read = {way for script in scripts or () for way in _read_sums(script)}
    return read.pop() if len(read) == 1 else TEXTBOOK.fit.epoch_loss


def _list_series(table: Event, length: int) -> Iterator[list[float]]:
    """Yield the numbers that stand one after the other in the rows and columns of a table."""
    for line in [*table["rows"], *zip_longest(*table["rows"])]:
        numbers = [number for number in line if number is not None]
        for first in range(len(numbers) - length + 1):
            yield numbers[first : first + length]


def _name_nearest(series: list[float], ways: dict[str, list[float]]) -> str | None:
    """Return which way gives a series, also a rounded one; ``None`` if none does or several do."""
    distances = {way: float(np.max(np.abs(np.subtract(series, values)) / values)) for way, values in ways.items()}
    nearest, second = sorted(distances, key=lambda way: distances[way])[:2]
    if distances[nearest] > _CLOSE or distances[second] < _CLEARLY * max(distances[nearest], 1e-9):
        return None
    return nearest


def _read_sums(script: Script) -> Iterator[str]:
    """Yield how losses of batches are added up in a script: as they are, or times the cases of the batch."""
    for node in script.nodes:
        added = None
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            added = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            added = node.args[0] if node.args else None
        if added is not None and _is_loss(added):
            yield "cases" if isinstance(added, ast.BinOp) and isinstance(added.op, ast.Mult) else "batches"


def _is_loss(added: ast.expr) -> bool:
    """Return whether an expression is the number of a loss, such as ``loss.item() * images.size(0)``."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "item"
        and "loss" in ast.unparse(node.func.value).lower()
        for node in ast.walk(added)
    )
