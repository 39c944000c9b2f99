"""Scores by dataset and contender, as box plots and clouds need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmseg.figures.contenders import Contender
from llmseg.stats.columns import DISTANCES, MEASURE_NAMES
from llmseg.stats.table import Table, contender_names
from llmseg.stats.words import count_text


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores on one dataset.

    Attributes:
        dataset: Name of the dataset.
        values: All scores of every contender, float ``[cases * seeds]``.
        means: Mean over seeds for every case, of every contender, float ``[cases]``.
        counts: Numbers of cases and seeds, in words.
    """

    dataset: str
    values: Mapping[str, np.ndarray]
    means: Mapping[str, np.ndarray]
    counts: str

    def order(self, contenders: Mapping[str, Contender], direction: float) -> list[str]:
        """Return the names of contenders from the top: references, then by median, best first, ties by name.

        Args:
            contenders: The contenders by name.
            direction: 1.0 where more is better, -1.0 where less is, see :func:`llmseg.stats.columns.sign`.
        """

        def key(name: str) -> tuple[bool, float, str]:
            contender = contenders[name]
            return not contender.is_reference, -direction * float(np.median(self.values[name])), contender.label

        return sorted(self.values, key=key)


def scores_by_dataset(table: Table, measure: str, phase: str) -> list[Scores]:
    """Return the scores on every dataset that has some; undefined scores are left out and counted.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.

    Raises:
        UserError: There is no such measure or phase.
    """
    frame = table.select(measure=measure, phase=phase).frame
    frame = frame.assign(contender=contender_names(frame))
    scores = []
    for dataset, part in frame.groupby("dataset", sort=False):
        valid = part[part["value"].notna()]
        by_name = valid.groupby("contender", sort=False)
        values = {str(name): rows["value"].to_numpy() for name, rows in by_name}
        means = {str(name): rows.groupby("case", sort=False)["value"].mean().to_numpy() for name, rows in by_name}
        cases, seeds = (_range_text([rows[column].nunique() for _, rows in by_name]) for column in ("case", "seed"))
        undefined = len(part) - len(valid)
        counts = f"{count_text(cases, 'case')}, {count_text(seeds, 'seed')}"
        scores.append(Scores(str(dataset), values, means, counts + (f", {undefined} undefined" if undefined else "")))
    return [on_dataset for on_dataset in scores if on_dataset.values]


def _range_text(numbers: Sequence[int]) -> str:
    if not numbers:
        return "0"
    return f"{numbers[0]}" if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def measure_text(measure: str) -> str:
    """Return the name of a measure for an axis, with its unit.

    Example:
        >>> measure_text("dice"), measure_text("hd95")
        ('Dice score', 'HD95 (pixels)')
    """
    name = MEASURE_NAMES.get(measure, measure.replace("_", " "))
    return f"{name} (pixels)" if measure in DISTANCES else f"{name} score" if measure in ("dice", "iou") else name
