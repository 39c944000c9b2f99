"""The ladder of sandboxes: the best that this computer can do is chosen, and what it does not contain is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from llmseg.admission.sandbox import bubblewrap, landlock, plain
from llmseg.admission.sandbox.cgroups import make_group
from llmseg.admission.sandbox.command import Command
from llmseg.admission.sandbox.start import Room, Start

PROMISES = {
    "network": "the command reaches no network, not even this computer",
    "writing outside": "the command writes only to its writable places",
    "reading outside": "the command reads only the system and its places",
    "hidden files": "the command cannot read what is hidden in its places, such as test masks",
    "other processes": "the command cannot see or signal processes of others",
    "moved places": "places are seen at other paths than on this computer",
    "namespaces": "the command cannot make namespaces of its own",
    "wall time": "the command ends when its time by the clock is over",
    "CPU time": "the command ends when its computing time is used up",
    "memory": "the command ends when it uses more memory than it may",
    "processes": "the command ends when it starts more processes than it may",
    "disk": "the command ends when it writes more than it may",
    "output": "the command ends when it prints more than it may",
    "survivors": "no process is left when the command has ended",
    "links": "no link or special file is left in what it wrote",
}
"""What a sandbox can contain."""

_WATCHED = frozenset({"wall time", "CPU time", "memory", "processes", "disk", "output", "links"})
_ENCLOSED = frozenset({"network", "writing outside", "reading outside", "hidden files", "other processes", "survivors"})


@dataclass(frozen=True)
class Rung:
    """A way to run foreign commands.

    Attributes:
        name: Its name, such as ``"bubblewrap"``.
        promises: What it contains, words of :data:`PROMISES`.
        start: Returns how a command is started.
        find_missing: Returns why it cannot be used here, or ``None``.
        has_group: Whether the kernel counts and limits all processes of a command together.
        is_asked_for: Whether it is used only if somebody asks for it by name.
    """

    name: str
    promises: frozenset[str]
    start: Callable[[Command, Room], Start]
    find_missing: Callable[[], str | None]
    has_group: bool = False
    is_asked_for: bool = False

    @property
    def not_contained(self) -> tuple[str, ...]:
        """What it does not contain, in words of :data:`PROMISES`."""
        return tuple(promise for promise in PROMISES if promise not in self.promises)


def _find_missing_group() -> str | None:
    missing = bubblewrap.find_missing()
    if missing is not None:
        return missing
    group = make_group()
    if group is None:
        return "this user may make no control groups with limits for memory and processes"
    group.remove()
    return None


def list_rungs() -> tuple[Rung, ...]:
    """Return all rungs, the best first, whether they can be used here or not."""
    start, missing = bubblewrap.start_bubblewrap, bubblewrap.find_missing
    # Processes of a user who exists for the command alone are ended as a whole; only root can become such a user.
    limited = _WATCHED | {"survivors"} if os.geteuid() == 0 else _WATCHED
    return (
        Rung("bubblewrap and cgroup", _promise_mounted(), start, _find_missing_group, has_group=True),
        Rung("bubblewrap", _promise_mounted(), start, missing),
        Rung("landlock", _WATCHED | _ENCLOSED | {"moved places"}, landlock.start_landlock, landlock.find_missing),
        Rung("limits", limited, plain.start_plain, plain.find_missing, is_asked_for=True),
    )


def _promise_mounted() -> frozenset[str]:
    """Return what bubblewrap contains; whether it forbids new namespaces depends on its version and on the kernel."""
    forbids = bubblewrap.find_missing() is None and bubblewrap.forbids_namespaces()
    return _WATCHED | _ENCLOSED | {"moved places"} | ({"namespaces"} if forbids else set())
