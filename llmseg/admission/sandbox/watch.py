"""What a running command uses, and which of its limits it has reached."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path

import psutil

from llmseg.admission.sandbox.cgroups import Group
from llmseg.admission.sandbox.command import Limits
from llmseg.admission.sandbox.files import TooDeepError, measure
from llmseg.admission.sandbox.keeper import descendants

RESERVED_MEMORY, RESERVED_DISK = 512 * 2**20, 512 * 2**20
"""Bytes that this computer must have left; below, a command is ended whatever its limits are."""

_UNCERTAIN = 8 * 2**20
"""How far below its limit a group may be when the kernel, which gives memory out in pieces, refuses more."""

_IN_MEMORY = -1

LIMIT_NAMES = {
    "seconds": "wall time",
    "cpu_seconds": "CPU time",
    "memory_bytes": "memory",
    "processes": "processes",
    "disk_bytes": "disk",
    "output_bytes": "output",
}
"""What each field of the limits is called in an outcome."""


@dataclass(frozen=True)
class Usage:
    """What a command has used; each number is the largest that was seen.

    Attributes:
        seconds: Time by the clock.
        cpu_seconds: Computing time of all its processes.
        memory_bytes: Memory of all its processes; in a control group, also that of files which the kernel keeps there.
        processes: Processes and threads.
        disk_bytes: What it wrote.
        output_bytes: What it printed.

    Example:
        >>> Usage(seconds=12.5, memory_bytes=2**30).memory_bytes // 2**20
        1024
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    processes: int = 0
    disk_bytes: int = 0
    output_bytes: int = 0

    def find_reached(self, limits: Limits) -> str | None:
        """Return the name of the first limit that is reached, such as ``"wall time"``.

        Example:
            >>> Usage(seconds=3).find_reached(Limits(seconds=2))
            'wall time'
        """
        reached = (name for field, name in LIMIT_NAMES.items() if getattr(self, field) >= getattr(limits, field))
        return next(reached, None)


@dataclass
class Watch:
    """Looks at a running command again and again.

    Attributes:
        keeper: The process above the command.
        limits: What the command may use.
        folders: The folders that it may write to.
        temporary: Folders inside of the sandbox that are lost with it, such as ``/tmp``; empty where it has none.
        group: Its control group, if there is one.
        wrappers: How many processes and threads the sandbox has itself.
        has_supervisor: Whether the first process is the sandbox's own, whatever threads it has.
        usage: The largest use so far.
    """

    keeper: int
    limits: Limits
    folders: Sequence[Path]
    temporary: Sequence[str] = ()
    group: Group | None = None
    wrappers: int = 0
    has_supervisor: bool = False
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        self._begin = time.monotonic()
        self._before = {folder: measure(folder) for folder in self.folders}
        self._disks = {folder.stat().st_dev for folder in self.folders}
        self._ended_seconds = 0.0
        self._last_seconds: dict[int, float] = {}
        self._next_disk = 0.0

    def look(self, output_bytes: int) -> str | None:
        """Measure, and return the name of a limit that is reached.

        Args:
            output_bytes: What the command has printed so far.
        """
        processes = self._list_processes()
        now = Usage(
            seconds=time.monotonic() - self._begin,
            cpu_seconds=self._read_cpu_seconds(processes),
            memory_bytes=self._read_memory(processes),
            processes=self._count_processes(processes),
            output_bytes=output_bytes,
        )
        self._note(now)
        return self.usage.find_reached(self.limits) or self._find_counted() or self._look_at_disk(processes)

    def look_last(self) -> str | None:
        """Measure what is still there when the command has ended, and return the name of a limit that is reached."""
        self._next_disk = 0.0
        reached = self._find_counted() or self._look_at_disk(())
        if self.group is not None:
            # The kernel keeps files in memory that is free, so the peak is no sign of a limit that was reached.
            peak = self.group.read_peak_memory()
            self._note(Usage(cpu_seconds=self.group.read_cpu_seconds() or 0.0, memory_bytes=peak))
        return reached

    def find_danger(self) -> str | None:
        """Return what this computer itself is about to run out of, in words, or ``None``."""
        available = psutil.virtual_memory().available
        if available < RESERVED_MEMORY:
            return f"this computer has {available / 2**20:.0f} MiB of memory left"
        for folder in filter(Path.exists, self.folders):
            free = shutil.disk_usage(folder).free
            if free < RESERVED_DISK:
                return f"the disk of {folder} has {free / 2**20:.0f} MiB left"
        return None

    def _note(self, now: Usage) -> None:
        self.usage = Usage(*(max(pair) for pair in zip(astuple(self.usage), astuple(now), strict=True)))

    def _find_counted(self) -> str | None:
        """Return a limit that the kernel itself has enforced: it counts how often it did."""
        if self.group is None:
            return None
        # The kernel also counts whom it killed because the whole computer had no memory left.
        if self.group.count_killed() and self.group.read_peak_memory() > self.limits.memory_bytes - _UNCERTAIN:
            return LIMIT_NAMES["memory_bytes"]
        return LIMIT_NAMES["processes"] if self.group.count_refused_forks() else None

    def _list_processes(self) -> list[int]:
        return list(descendants(self.keeper)) if self.group is None else self.group.list_processes()

    def _count_processes(self, processes: Sequence[int]) -> int:
        if self.group is not None:
            return self.group.count_processes() - self.wrappers
        return sum(map(_count_threads, processes[self.has_supervisor :])) - self.wrappers

    def _read_cpu_seconds(self, processes: Iterable[int]) -> float:
        counted = self.group.read_cpu_seconds() if self.group is not None else None
        if counted is not None:
            return counted
        now = {pid: seconds for pid in processes if (seconds := _read_cpu_seconds(pid)) is not None}
        self._ended_seconds += sum(seconds for pid, seconds in self._last_seconds.items() if pid not in now)
        self._last_seconds = now
        return self._ended_seconds + sum(now.values())

    def _read_memory(self, processes: Sequence[int]) -> int:
        """Return the memory in use; where the kernel counts it for the group, only its peak is read, at the end."""
        if self.group is not None:
            return 0
        resident = sum(_read_resident(pid) for pid in processes)
        unmapped = _list_unlinked(processes).get(_IN_MEMORY, 0)
        if resident + unmapped < self.limits.memory_bytes:
            return resident + unmapped
        # What several processes share was counted for each; dividing it among them takes the kernel longer.
        return sum(map(_read_proportional, processes)) + unmapped

    def _look_at_disk(self, processes: Sequence[int]) -> str | None:
        """Measure the folders, but not so often that it takes more than a fifth of the time."""
        begin = time.monotonic()
        if begin < self._next_disk:
            return None
        try:
            written = sum(_measure_if_there(folder) - before for folder, before in self._before.items())
        except TooDeepError:
            return LIMIT_NAMES["disk_bytes"]
        written += _measure_mounts(processes, self.temporary)
        written += sum(size for device, size in _list_unlinked(processes).items() if device in self._disks)
        self._note(Usage(disk_bytes=written))
        self._next_disk = time.monotonic() + 4 * (time.monotonic() - begin)
        return self.usage.find_reached(self.limits)


def _measure_if_there(folder: Path) -> int:
    """Return how much a folder takes; nothing, if a command that is not enclosed has moved it away."""
    with suppress(OSError):
        return measure(folder)
    return 0


def _read_cpu_seconds(pid: int) -> float | None:
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return None


def _read_resident(pid: int) -> int:
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _count_threads(pid: int) -> int:
    with suppress(psutil.Error):
        return int(psutil.Process(pid).num_threads())
    return 0


def _read_proportional(pid: int) -> int:
    """Return the memory of a process, what it shares with others divided among them."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("Pss:")))
    return _read_resident(pid)


def _list_unlinked(processes: Iterable[int]) -> dict[int, int]:
    """Return the size of files that processes hold open and that have no name any more, by device.

    Those that were made in memory, on no disk, are under :data:`_IN_MEMORY`.
    """
    sizes: dict[tuple[int, int], int] = {}
    for pid in processes:
        with suppress(OSError):
            for file in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    state = file.stat()
                    if stat.S_ISREG(state.st_mode) and not state.st_nlink:
                        device = _IN_MEMORY if str(file.readlink()).startswith("/memfd:") else state.st_dev
                        sizes[device, state.st_ino] = state.st_blocks * 512
    devices = {device for device, _ in sizes}
    return {device: sum(size for (of, _), size in sizes.items() if of == device) for device in devices}


def _measure_mounts(processes: Iterable[int], paths: Iterable[str]) -> int:
    """Return how much is used of file systems that only these processes see at some paths."""
    used: dict[int, int] = {}
    for path in paths:
        for pid in processes:
            with suppress(OSError):
                ours = Path(path).stat().st_dev
                seen = Path(f"/proc/{pid}/root{path}")
                device, system = seen.stat().st_dev, os.statvfs(seen)
                if device != ours:
                    used[device] = (system.f_blocks - system.f_bfree) * system.f_frsize
    return sum(used.values())


def choose_resources(limits: Limits) -> dict[str, int]:
    """Return the limits that the kernel holds for every single process, by their names in ``resource``."""
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": int(limits.disk_bytes),
        "RLIMIT_CPU": int(limits.cpu_seconds) + 1,
        "RLIMIT_NOFILE": min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536),
    }
