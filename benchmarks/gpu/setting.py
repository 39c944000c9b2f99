"""What the stages are told, and what they share: where to compute, how large, and where things lie."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from results import read_results

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
"""The records of the original scripts, and their images."""


@dataclass(frozen=True)
class Setting:
    """Where and how the stages measure.

    Attributes:
        place: ``cpu`` or ``cuda``.
        small: Whether everything is tried in small, to see that it runs; figures then say nothing.
        out: Folder of the results.
        work: Folder of what is not kept: prepared data, cells of the study with their weights.
        data: Folder with the two folders of real images; ``None`` if they are not there.
        last: When the sitting ends, by the clock ``time.monotonic``.
    """

    place: str
    small: bool
    out: Path
    work: Path
    data: Path | None
    last: float

    @property
    def device(self) -> torch.device:
        """The device. Only workers may ask for more than its name."""
        return torch.device(self.place)

    def find_value(self, stage: str, item: str) -> dict[str, Any]:
        """Return what an earlier stage found; nothing if it did not."""
        path = self.out / f"{stage}.json"
        if not path.exists():
            return {}
        found: dict[str, Any] = read_results(path)["items"].get(item, {}).get("value", {})
        return found


def ask(question: Callable[[], Any]) -> Any:
    """Return the answer, or why there is none: a machine need not have everything that one may ask about."""
    try:
        return question()
    except Exception as error:
        return {"absent": f"{type(error).__name__}: {error}"}


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def time_calls(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the milliseconds of a call: the median of three rows of calls, after some that do not count.

    Args:
        work: What is called.
        device: What is waited for at the end of a row.
        seconds: About how long all of it may take.
    """
    for _ in range(2):
        work()
    synchronise(device)
    began = time.perf_counter()
    work()
    synchronise(device)
    calls = max(1, int(seconds / 3 / max(time.perf_counter() - began, 1e-6)))
    rows = []
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(calls):
            work()
        synchronise(device)
        rows.append(1000 * (time.perf_counter() - began) / calls)
    return statistics.median(rows)
