"""Scores by dataset and contender, as figures of their spread need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmseg.figures.contenders import Contender
from llmseg.stats.columns import DISTANCES, MEASURE_NAMES
from llmseg.stats.table import Table, contender_names


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores on one dataset.

    Attributes:
        dataset: Its name.
        values: All scores of each contender, float ``[cases * seeds]``.
        means: Mean over seeds of each of its cases, float ``[cases]``.
        count: How many they are, in words.
    """

    dataset: str
    values: Mapping[str, np.ndarray]
    means: Mapping[str, np.ndarray]
    count: str

    def ordered(self, known: Mapping[str, Contender], direction: float) -> list[str]:
        """Return contenders from the top: references, then all others by their median, best first, ties by name."""

        def place(name: str) -> tuple[bool, float, str]:
            return not known[name].reference, -direction * float(np.median(self.values[name])), known[name].label

        return sorted(self.values, key=place)


def scores(table: Table, measure: str, phase: str) -> list[Scores]:
    """Return the scores on every dataset; those that are undefined are left out and counted.

    Raises:
        UserError: There is no such measure or phase.
    """
    frame = table.select(measure=measure, phase=phase).frame
    frame = frame.assign(contender=contender_names(frame))
    found = []
    for dataset, part in frame.groupby("dataset", sort=False):
        valid = part[part["value"].notna()]
        by_name = valid.groupby("contender", sort=False)
        values = {str(name): rows["value"].to_numpy() for name, rows in by_name}
        means = {str(name): rows.groupby("case", sort=False)["value"].mean().to_numpy() for name, rows in by_name}
        cases, seeds = (_range([rows[what].nunique() for _, rows in by_name]) for what in ("case", "seed"))
        count = f"{_counted(cases, 'case')}, {_counted(seeds, 'seed')}"
        undefined = len(part) - len(valid)
        found.append(Scores(str(dataset), values, means, count + (f", {undefined} undefined" if undefined else "")))
    return [one for one in found if one.values]


def _range(numbers: Sequence[int]) -> str:
    if not numbers:
        return "0"
    return f"{numbers[0]}" if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def _counted(number: str, noun: str) -> str:
    return f"{number} {noun}{'' if number == '1' else 's'}"


def measure_text(measure: str) -> str:
    """Return what an axis calls a measure, with its unit.

    Example:
        >>> measure_text("dice"), measure_text("hd95")
        ('Dice score', 'HD95 (pixels)')
    """
    name = MEASURE_NAMES.get(measure, measure.replace("_", " "))
    return f"{name} (pixels)" if measure in DISTANCES else f"{name} score" if measure in ("dice", "iou") else name
