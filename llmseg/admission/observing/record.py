"""Reading the record of an observed script: its events in their order, and the arrays beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Event:
    """Something that a script did.

    Attributes:
        at: When: the number of the event in its process.
        name: What, such as ``"step"``.
        values: What is known of it.
        process: The process, 0 for the first one.
    """

    at: int
    name: str
    values: Mapping[str, Any]
    process: int = 0

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)

    @property
    def place(self) -> str:
        """The line of the script, as ``file:line``; empty if there is none."""
        return str(self.values.get("place") or "")


@dataclass(frozen=True)
class Record:
    """The events of an observed script and of its processes.

    Attributes:
        events: The events of the process that computed most, in their order.
        others: Those of the other processes, such as workers of loaders.
        arrays: The file of the arrays.
    """

    events: tuple[Event, ...]
    others: tuple[Event, ...]
    arrays: Path | None

    def list(self, *names: str) -> list[Event]:
        """Return the events of these names."""
        return [event for event in self.events if event.name in names]

    def array(self, about: Mapping[str, Any] | None) -> NDArray[Any] | None:
        """Return the array that an event describes, ``None`` if it was not kept or the process was killed over it."""
        if about is None or "at" not in about or self.arrays is None:
            return None
        kind, count = np.dtype(about["dtype"]), math.prod(about["shape"])
        if about["at"] + count * kind.itemsize > self.arrays.stat().st_size:
            return None
        array: NDArray[Any] = np.fromfile(self.arrays, kind, count, offset=about["at"])
        shaped: NDArray[Any] = array.reshape(about["shape"])
        return shaped


def read_record(folder: Path) -> Record:
    """Read what an observer has written, also of a process that was killed.

    Args:
        folder: The folder of the record.
    """
    processes = [(path, list(_read_events(path, number))) for number, path in enumerate(sorted(folder.glob("*.jsonl")))]
    if not processes:
        return Record((), (), None)
    main = max(processes, key=lambda process: (any(e.name == "pass" for e in process[1]), len(process[1])))
    others = tuple(event for process in processes if process is not main for event in process[1])
    return Record(tuple(main[1]), others, main[0].with_suffix(".bin"))


def _read_events(path: Path, process: int) -> Iterator[Event]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines):
            try:
                values = json.loads(line)
            except ValueError:  # the last line of a process that was killed
                continue
            if isinstance(values, dict) and "event" in values:
                yield Event(number, str(values.pop("event")), values, process)
