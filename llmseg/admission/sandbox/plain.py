"""The last rung: a command runs as on any computer, with nothing but limits."""

from __future__ import annotations

import os
import sys

from llmseg.admission.sandbox.command import Command
from llmseg.admission.sandbox.start import Room, Start, choose_environment, count_threads, find_root_only
from llmseg.errors import UserError

_MARGIN = 16
"""More processes than are allowed, so that the watch sees it before the kernel refuses one."""


def find_missing() -> str | None:
    """Return why commands cannot be limited here, with what to do about it; ``None`` if it can be tried."""
    return find_root_only() if os.name == "posix" else f"limits need Linux or macOS, not {sys.platform}"


def start_plain(command: Command, room: Room) -> Start:
    """Return how to start a command with nothing but limits.

    Raises:
        UserError: A place is to be seen at another path, or something hidden lies in one of them.
    """
    moved = next((place for place in command.places if place.is_moved), None)
    if moved is not None:
        raise UserError(
            f"{moved.seen_at}: limits cannot show {moved.outside} there; install bubblewrap, or copy it there"
        )
    hidden = next(iter(command.find_hidden()), None)
    if hidden is not None:
        raise UserError(f"{hidden[0]}: limits cannot hide it from the command; install bubblewrap, or move it away")
    return Start(
        list(command.arguments),
        choose_environment(command, str(room.temporary)),
        folder=str(command.folder),
        drops=room.uid is not None,
        resources={"RLIMIT_NPROC": count_threads(room.uid) + int(command.limits.processes) + _MARGIN},
    )
