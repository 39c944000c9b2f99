"""The hours that a launcher may work: which cells it begins, and in which order."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

from llmseg.errors import UserError
from llmseg.study.launching.cells import Cell


class Allowance:
    """Some hours of work. A launcher begins only cells that will end within them, by their estimate.

    A first seed of everything says more than a second seed of something, and cheap cells say as much as dear ones. So
    seeds go in turn, within a seed the folds, and within a fold the cheapest first, as in
    :func:`llmseg.study.choose_cells`. A cell that was begun is finished, even if it takes longer than was estimated.
    Each finished cell corrects the estimate of those that follow.

    Attributes:
        hours: The hours, from now.

    Raises:
        UserError: The hours are not above 0.

    Example:
        >>> from pathlib import Path
        >>> short, long = Cell(Path("s"), "a", "", 0), Cell(Path("s"), "b", "", 0)
        >>> allowance = Allowance(1, {short: 600.0, long: 3000.0})
        >>> allowance.allows(short), allowance.allows(long)
        (True, True)
        >>> allowance.note(short, 1200.0)
        >>> allowance.allows(long)
        False
    """

    def __init__(self, hours: float, seconds: Mapping[Cell, float]) -> None:
        if not hours > 0:
            raise UserError(f"{hours} hours; give a number above 0")
        self.hours = hours
        self._end = time.monotonic() + hours * 3600
        self._seconds = seconds
        self._ratios: list[float] = []

    def allows(self, cell: Cell) -> bool:
        """Return whether a cell will end in time if it is begun now."""
        correction = statistics.median(self._ratios) if self._ratios else 1.0
        return time.monotonic() + correction * self._seconds[cell] <= self._end

    def rank(self, cell: Cell) -> tuple[int, int, float]:
        """Return what cells are sorted by, the most informative first."""
        return cell.seed, cell.fold, self._seconds[cell]

    def note(self, cell: Cell, seconds: float) -> None:
        """Take notice of how long a cell took."""
        if self._seconds[cell] > 0:
            self._ratios.append(seconds / self._seconds[cell])
