"""Control groups of Linux: the kernel counts and limits what all processes of a command use together.

Both versions are known. A group is made below the one in which this process is, so limits that hold for this process
hold for the command, too.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CGROUPS, MOUNTS = Path("/proc/self/cgroup"), Path("/proc/self/mountinfo")

_NEEDED = ("pids", "memory")


@dataclass(frozen=True)
class Group:
    """A control group: in version 1 a folder for each kind of limit, in version 2 one for all.

    Attributes:
        folders: The folder of each kind, such as ``pids`` and ``memory``.
        version: 1 or 2.
    """

    folders: dict[str, Path]
    version: int

    def set_limits(self, memory_bytes: int, processes: int) -> None:
        """Limit what the processes of the group use together.

        Raises:
            OSError: The kernel refuses.
        """
        (self.folders["pids"] / "pids.max").write_text(str(processes))
        memory = self.folders["memory"]
        if self.version == 2:
            (memory / "memory.max").write_text(str(memory_bytes))
            optional = {"memory.swap.max": 0, "memory.oom.group": 1}
        else:
            (memory / "memory.limit_in_bytes").write_text(str(memory_bytes))
            optional = {"memory.memsw.limit_in_bytes": memory_bytes}
        for name, value in optional.items():
            with suppress(OSError):
                # Without it the kernel swaps; what is there besides depends on how it was built.
                (memory / name).write_text(str(value))

    def count_processes(self) -> int:
        """Return how many processes and threads the group has."""
        return _read_number(self.folders["pids"] / "pids.current")

    def count_refused_forks(self) -> int:
        """Return how often a process of the group could not be made."""
        return _read_fields(self.folders["pids"] / "pids.events").get("max", 0)

    def count_killed(self) -> int:
        """Return how many processes of the group the kernel killed for their memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        return _read_fields(self.folders["memory"] / name).get("oom_kill", 0)

    def read_peak_memory(self) -> int:
        """Return the most memory that the group ever used, in bytes; 0 if the kernel does not tell."""
        name = "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"
        return _read_number(self.folders["memory"] / name)

    def read_cpu_seconds(self) -> float | None:
        """Return the computing time of all processes that ever were in the group, ``None`` if it is not counted."""
        if self.version == 2:
            microseconds = _read_fields(self.folders["memory"] / "cpu.stat").get("usage_usec")
            return None if microseconds is None else microseconds / 1e6
        return _read_number(self.folders["cpuacct"] / "cpuacct.usage") / 1e9 if "cpuacct" in self.folders else None

    def list_processes(self) -> list[int]:
        """Return the numbers of the processes in the group."""
        with suppress(OSError):
            return [int(line) for line in (self.folders["pids"] / "cgroup.procs").read_text().split()]
        return []

    def end_all(self) -> None:
        """Kill all processes of the group."""
        with suppress(OSError):
            (self.folders["pids"] / "cgroup.kill").write_text("1")
        for pid in self.list_processes():
            with suppress(OSError):
                os.kill(pid, 9)

    def remove(self) -> bool:
        """Remove the group, and return whether that was possible; its processes are killed before."""
        deadline = time.monotonic() + 10
        while self.list_processes() and time.monotonic() < deadline:
            self.end_all()
            time.sleep(0.01)
        for folder in set(self.folders.values()):
            # A process that was just killed leaves its group a moment later.
            while folder.exists() and time.monotonic() < deadline:
                with suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.01)
        return not any(folder.exists() for folder in self.folders.values())


def make_group() -> Group | None:
    """Return a new control group for a command, or ``None`` if this process may make none."""
    name = f"llmseg-{os.getpid()}-{secrets.token_hex(4)}"
    own = _read_own_groups()
    group = _make_version_1(own, name) if all(kind in own for kind in _NEEDED) else _make_version_2(own, name)
    if group is not None and all((folder / "cgroup.procs").exists() for folder in group.folders.values()):
        return group
    return None


def _make_version_1(own: dict[str, Path], name: str) -> Group | None:
    folders = {kind: own[kind] / name for kind in (*_NEEDED, "cpuacct") if kind in own}
    try:
        for folder in set(folders.values()):
            folder.mkdir()
    except OSError:
        for folder in folders.values():
            with suppress(OSError):
                folder.rmdir()
        return None
    return Group(folders, 1)


def _make_version_2(own: dict[str, Path], name: str) -> Group | None:
    """Make a group below the nearest one that hands its limits on; one that has processes itself seldom does."""
    nearest = own.get("")
    while nearest is not None and (nearest / "cgroup.procs").exists():
        with suppress(OSError):
            if set(_NEEDED) <= set((nearest / "cgroup.subtree_control").read_text().split()):
                (nearest / name).mkdir()
                return Group(dict.fromkeys(_NEEDED, nearest / name), 2)
        nearest = nearest.parent
    return None


def _read_own_groups() -> dict[str, Path]:
    """Return the folder of the group of this process for each kind of limit; version 2 has the kind ``""``."""
    found: dict[str, Path] = {}
    with suppress(OSError):
        mounts = _read_mounts()
        for line in CGROUPS.read_text().splitlines():
            _, kinds, own = line.split(":", 2)
            for kind in kinds.split(","):
                if kind in mounts:
                    root, mount = mounts[kind]
                    found[kind] = mount / os.path.relpath(own, root) if Path(own).is_relative_to(root) else mount
    return found


def _read_mounts() -> dict[str, tuple[str, Path]]:
    """Return (the group at the top, where it is mounted) for each kind of limit."""
    mounts: dict[str, tuple[str, Path]] = {}
    for line in MOUNTS.read_text().splitlines():
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if kind == "cgroup2":
            mounts.setdefault("", (root, Path(mount)))
        elif kind == "cgroup":
            for name in options.split(","):
                mounts.setdefault(name, (root, Path(mount)))
    return mounts


def _read_fields(file: Path) -> dict[str, int]:
    """Return what a file of the kernel holds in lines such as ``oom_kill 3``."""
    with suppress(OSError, ValueError):
        lines = (line.split() for line in file.read_text().splitlines())
        return {line[0]: int(line[1]) for line in lines if len(line) == 2}
    return {}


def _read_number(file: Path) -> int:
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return 0
