"""Comparing figures one by one, stopping at the first that diverges."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmseg.errors import UserError

ROUNDING = 3.0
"""How many times the measured spread of rounding a figure may lie beyond its tolerance."""


class Diverged(Exception):
    """A figure is not what the record says."""


@dataclass(frozen=True)
class Figure:
    """A figure to compare: exactly, or with a distance of at most ``rel * |expected| + abs``.

    Attributes:
        where: What it is.
        expected: What the record says.
        found: What was measured.
        rel: Relative tolerance.
        abs: Absolute tolerance; with ``rel``, ``None`` for both asks for equality.
        rounded: Whether the training up to here has amplified the rounding of the machine it runs on.
    """

    where: str
    expected: Any
    found: Any
    rel: float | None = None
    abs: float | None = None
    rounded: bool = False


@dataclass
class Comparison:
    """Counts figures that agree and remembers which came closest to its tolerance.

    Attributes:
        count: Figures compared so far.
        worst: Largest share of a tolerance used so far, 0 to 1.
        worst_at: Where that was.
        by_rounding: Figures beyond their tolerance that the measured spread of rounding explains, in words.
    """

    count: int = 0
    worst: float = 0.0
    worst_at: str = ""
    by_rounding: tuple[str, ...] = ()

    def follow(self, figures: Iterable[Figure], twin: Callable[[], Iterator[Figure]]) -> None:
        """Compare the figures of a training one by one.

        Rounding grows from step to step, in some networks beyond the tolerances, which were measured on others. So a
        rounded figure beyond its tolerance is measured a second time, by a twin that rounds differently, and may lie
        beyond it by :data:`ROUNDING` times what the two differ by.

        Args:
            figures: The figures, measured as they are asked for.
            twin: Starts the same training again with other rounding; it gives the same figures in the same order.

        Raises:
            Diverged: A figure is neither inside its tolerance nor explained by rounding.
        """
        again: Iterator[tuple[int, Figure]] | None = None
        for place, figure in enumerate(figures):
            try:
                self.take(figure)
            except Diverged as diverged:
                if not figure.rounded:
                    raise
                again = again or enumerate(twin())
                other = next(f for position, f in again if position == place)
                self._take_rounded(figure, abs(other.found - figure.found), diverged)

    def take(self, figure: Figure) -> None:
        """Compare a figure; raises :class:`Diverged` as :meth:`exact` and :meth:`close` do."""
        if figure.rel is None and figure.abs is None:
            self.exact(figure.where, figure.expected, figure.found)
        else:
            self.close(figure.where, figure.expected, figure.found, rel=figure.rel or 0.0, abs=figure.abs or 0.0)

    def _take_rounded(self, figure: Figure, spread: float, diverged: Diverged) -> None:
        wanted = float(figure.expected)
        allowed = (figure.rel or 0.0) * math.fabs(wanted) + (figure.abs or 0.0) + ROUNDING * spread
        said = f"{diverged}; spread of rounding on this machine {spread:.3g}"
        if not math.fabs(figure.found - wanted) <= allowed:
            raise Diverged(f"{said}, of which {ROUNDING:g} times are allowed on top")
        self.by_rounding += (said,)

    def exact(self, where: str, expected: object, found: object) -> None:
        """Require equality.

        Raises:
            Diverged: The two differ; of sequences, the first differing entry is named.
        """
        self.count += 1
        if isinstance(expected, Sequence) and isinstance(found, Sequence) and not isinstance(expected, str):
            if len(expected) != len(found):
                raise Diverged(f"{where}, number of entries: expected {len(expected)}, found {len(found)}")
            for position, (e, f) in enumerate(zip(expected, found, strict=True)):
                if e != f:
                    raise Diverged(f"{where}, entry {position}: expected {e!r}, found {f!r}")
        elif expected != found:
            raise Diverged(f"{where}: expected {expected!r}, found {found!r}")

    def close(self, where: str, expected: float | str, found: float, *, rel: float = 0.0, abs: float = 0.0) -> None:
        """Require a distance of at most ``rel * |expected| + abs``; not-a-number (written ``"nan"``) equals itself.

        Raises:
            Diverged: The distance is larger.
        """
        self.count += 1
        wanted = float(expected)
        if math.isnan(wanted) and math.isnan(found):
            return
        allowed = rel * math.fabs(wanted) + abs
        distance = math.fabs(found - wanted)
        if not distance <= allowed:
            raise Diverged(
                f"{where}: expected {wanted:.9g}, found {found:.9g}, distance {distance:.3g}, allowed {allowed:.3g}"
            )
        if allowed and distance / allowed > self.worst:
            self.worst, self.worst_at = distance / allowed, where

    def all_close(
        self, where: str, expected: Sequence[float], found: Sequence[float], *, rel: float = 0.0, abs: float = 0.0
    ) -> None:
        """Require the same number of figures, each close."""
        self.exact(f"{where}, number of figures", len(expected), len(found))
        for position, (e, f) in enumerate(zip(expected, found, strict=True)):
            self.close(f"{where}, figure {position}", e, f, rel=rel, abs=abs)


def field(record: Mapping[str, Any], path: str) -> Any:
    """Return an entry of a record by dotted path.

    Raises:
        UserError: The record has no such entry.
    """
    value: Any = record
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            raise UserError(f"the record has no '{path}'; is it a record in the format of GOLDEN.md?")
        value = value[name]
    return value
