"""Comparing figures one by one, stopping at the first that diverges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmseg.errors import UserError


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
        diverged_before: Why earlier trainings diverged, where several are tried.
    """

    count: int = 0
    worst: float = 0.0
    worst_at: str = ""
    diverged_before: tuple[str, ...] = ()

    def begin_again(self, why: str) -> None:
        """Forget the figures of a training that diverged, but not why it did."""
        self.count, self.worst, self.worst_at = 0, 0.0, ""
        self.diverged_before += (why,)

    def take(self, figure: Figure) -> None:
        """Compare a figure; raises :class:`Diverged` as :meth:`exact` and :meth:`close` do."""
        if figure.rel is None and figure.abs is None:
            self.exact(figure.where, figure.expected, figure.found)
        else:
            self.close(figure.where, figure.expected, figure.found, rel=figure.rel or 0.0, abs=figure.abs or 0.0)

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
