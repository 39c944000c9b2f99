"""Comparing measured values with recorded ones, one by one, up to the first that diverges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Divergence(Exception):
    """A measured value is not the recorded one; the message says which, and both values."""


@dataclass(frozen=True)
class ComparedValue:
    """A recorded value, what was measured in its place, and how far they may lie apart.

    They may differ by at most ``rel * |expected| + abs``; without ``rel`` and ``abs`` they have to be equal.

    Attributes:
        where: What was measured, and at which step or epoch.
        expected: The recorded value.
        measured: The measured value.
        rel: Relative tolerance.
        abs: Absolute tolerance.
        carries_rounding: Whether the training up to here has amplified the rounding of the machine it runs on.

    Example:
        >>> value = ComparedValue("loss of step 3", expected=0.5, measured=0.5000001, rel=1e-5)
        >>> abs(value.measured - value.expected) <= value.rel * abs(value.expected)
        True
    """

    where: str
    expected: Any
    measured: Any
    rel: float | None = None
    abs: float | None = None
    carries_rounding: bool = False


@dataclass
class Comparison:
    """Counts the values that agree, and keeps which of them came closest to its tolerance.

    Attributes:
        count: Values that were compared so far.
        worst: Largest share of a tolerance used so far: 0 to 1, or more in a comparison to the end.
        worst_at: Where that was.
        diverged_before: Why earlier trainings diverged, where several are tried.
        to_the_end: Whether to go on after a value beyond its tolerance, to find out how far the values lie from the
            recorded ones. Values that have to be equal still have to be.
        beyond: What was beyond its tolerance, in a comparison to the end.
    """

    count: int = 0
    worst: float = 0.0
    worst_at: str = ""
    diverged_before: tuple[str, ...] = ()
    to_the_end: bool = False
    beyond: tuple[str, ...] = ()

    def begin_again(self, why: str) -> None:
        """Forget the values of a training that diverged, but not why it did."""
        self.count, self.worst, self.worst_at = 0, 0.0, ""
        self.diverged_before += (why,)

    def require(self, value: ComparedValue) -> None:
        """Compare a value.

        Raises:
            Divergence: As :meth:`require_equal` and :meth:`require_close`.
        """
        if value.rel is None and value.abs is None:
            self.require_equal(value.where, value.expected, value.measured)
        else:
            self.require_close(value.where, value.expected, value.measured, rel=value.rel or 0.0, abs=value.abs or 0.0)

    def require_equal(self, where: str, expected: object, measured: object) -> None:
        """Require equality.

        Raises:
            Divergence: The two differ; of sequences, the first differing entry is named.
        """
        self.count += 1
        if isinstance(expected, Sequence) and isinstance(measured, Sequence) and not isinstance(expected, str):
            if len(expected) != len(measured):
                raise Divergence(f"{where}, number of entries: expected {len(expected)}, found {len(measured)}")
            for index, (left, right) in enumerate(zip(expected, measured, strict=True)):
                if left != right:
                    raise Divergence(f"{where}, entry {index}: expected {left!r}, found {right!r}")
        elif expected != measured:
            raise Divergence(f"{where}: expected {expected!r}, found {measured!r}")

    def require_close(
        self, where: str, expected: float | str, measured: float, *, rel: float = 0.0, abs: float = 0.0
    ) -> None:
        """Require a distance of at most ``rel * |expected| + abs``; not-a-number (written ``"nan"``) equals itself.

        Raises:
            Divergence: The distance is larger.
        """
        self.count += 1
        recorded = float(expected)
        if math.isnan(recorded) and math.isnan(measured):
            return
        allowed = rel * math.fabs(recorded) + abs
        distance = math.fabs(measured - recorded)
        # Not "distance > allowed": that is false for a distance that is not a number.
        if not distance <= allowed:
            why = (
                f"{where}: expected {recorded:.9g}, found {measured:.9g}, distance {distance:.3g}, "
                f"allowed {allowed:.3g}"
            )
            if not self.to_the_end:
                raise Divergence(why)
            self.beyond += (why,)
        share = distance / allowed if allowed and math.isfinite(distance) else 0.0 if distance == 0 else math.inf
        if share > self.worst:
            self.worst, self.worst_at = share, where

    def require_all_close(
        self, where: str, expected: Sequence[float], measured: Sequence[float], *, rel: float = 0.0, abs: float = 0.0
    ) -> None:
        """Require equally many values, each close.

        Raises:
            Divergence: There are more or fewer values, or the distance of two is too large.
        """
        self.require_equal(f"{where}, number of figures", len(expected), len(measured))
        for index, (left, right) in enumerate(zip(expected, measured, strict=True)):
            self.require_close(f"{where}, figure {index}", left, right, rel=rel, abs=abs)
