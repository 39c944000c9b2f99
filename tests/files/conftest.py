from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmseg.files import temporary_path


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def leave(monkeypatch) -> Callable[[Path, int], Path]:
    """A function that leaves a file half-written in a folder, as a process does that is killed."""

    def leave(folder: Path, process: int) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: process)
            path = temporary_path(folder)
        path.write_bytes(b"half")
        return path

    return leave
