"""How the time of a sitting is divided among the stages, and whether an item still fits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A piece of time, by the clock ``time.monotonic``.

    Attributes:
        end: Until when items may be begun, if they will end by then.
        last: When whatever still runs is ended.
        patience: An item is ended earlier if it takes so many times as long as was estimated.
    """

    end: float
    last: float
    patience: float = 3.0

    @property
    def left(self) -> float:
        """Seconds until ``end``; never below 0."""
        return max(0.0, self.end - time.monotonic())

    def fits(self, seconds: float) -> bool:
        """Return whether something that takes so long would end in time."""
        return time.monotonic() + seconds <= self.end


def share_out(seconds: float, shares: Mapping[str, float], open_stages: Sequence[str]) -> float:
    """Return the seconds of the first of some stages, if all of them divide what is left by their shares.

    What a stage leaves over is divided again among those behind it, and the last one gets all that is left.

    Example:
        >>> share_out(60, {"a": 1, "b": 2, "c": 1}, ["b", "c"])
        40.0
    """
    first, *_ = open_stages
    return max(0.0, seconds) * shares[first] / sum(shares[stage] for stage in open_stages)
