"""How far a study is: the line that a launcher shows, and when all cells will be finished."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from llmseg.study.launching.cells import Cell


def estimate_seconds(left: Sequence[Cell], known: Mapping[str, Sequence[float]]) -> float | None:
    """Return how long one launcher needs for the cells that are left; ``None`` if no cell is finished yet.

    Args:
        left: The cells.
        known: Seconds of finished cells, by name of their variant. A variant without any is taken for an average one.

    Example:
        >>> from pathlib import Path
        >>> left = [Cell(Path("s"), "a", "", 1), Cell(Path("s"), "b", "", 0)]
        >>> estimate_seconds(left, {"a": [10.0, 20.0]})
        30.0
    """
    means = {variant: statistics.fmean(seconds) for variant, seconds in known.items() if seconds}
    if not means:
        return None
    average = statistics.fmean(means.values())
    return sum(means.get(cell.variant, average) for cell in left)


def format_seconds(seconds: float) -> str:
    """Return a duration in one unit.

    Example:
        >>> format_seconds(40), format_seconds(600), format_seconds(9000), format_seconds(400_000)
        ('40 s', '10 min', '2.5 h', '4.6 days')
    """
    for unit, length, digits in (("s", 1, 0), ("min", 60, 0), ("h", 3600, 1)):
        if seconds < {"s": 99, "min": 99 * 60, "h": 48 * 3600}[unit]:
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds / 86400:.1f} days"


class CellBar:
    """The outer line of a launcher: which cell, how many are finished and left, and for how long.

    Attributes:
        total: Number of all cells.
        disable: Whether to show nothing.
    """

    def __init__(self, total: int, *, disable: bool) -> None:
        self.total, self.disable = total, disable
        self._seconds: dict[str, list[float]] = {}
        self._bar: Any = None
        self._last: Cell | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the line for the block, as soon as there is something to show."""
        try:
            yield
        finally:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    def begin(self, cell: Cell, left: Sequence[Cell], where: str = "") -> None:
        """Show the cell that is worked on now.

        Args:
            cell: The cell.
            left: All cells that are not finished.
            where: On which dataset it is, where there are several.
        """
        fold = f", fold {cell.fold}" if cell.fold else ""
        self.show(f"{cell.variant}{where}, seed {cell.seed}{fold}", left)
        self._last = cell

    def show(self, text: str, left: Sequence[Cell]) -> None:
        """Show what happens now, and the numbers of cells that are finished and left."""
        if self.disable:
            return
        if self._last is not None and (seconds := self._last.seconds) is not None:
            self._seconds.setdefault(self._last.variant, []).append(seconds)
            self._last = None
        if self._bar is None:
            form = "{desc} |{bar:20}| {n_fmt} of {total_fmt} cells{postfix}"
            self._bar = tqdm(total=self.total, desc=text, bar_format=form)
        self._bar.n = self.total - len(left)
        self._bar.set_description_str(text, refresh=False)
        estimate = estimate_seconds(left, self._seconds)
        shared = "" if estimate is None else f"about {format_seconds(estimate / _count_launchers(left))} left"
        self._bar.set_postfix_str(shared)


def _count_launchers(left: Sequence[Cell]) -> int:
    """Return how many launchers work on some cells, at least this one."""
    folders = {cell.lease.parent for cell in left}
    return max(1, sum(len(list(folder.iterdir())) for folder in folders if folder.is_dir()))
