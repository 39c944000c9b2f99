"""What the tests of the sandbox share: commands with a folder to write to, on the best rung that is there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmseg.admission import Command, Limits, Outcome, Place, python_places, run_in_sandbox

SMALL = Limits(seconds=30, cpu_seconds=30, memory_bytes=512 * 2**20, processes=32, disk_bytes=32 * 2**20)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder that a command may write to."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def run(work: Path, sandbox: str) -> Callable[..., Outcome]:
    """A function that runs a script in the sandbox, with small limits."""

    def run_script(
        script: str, *places: Place, hidden: tuple[Path, ...] = (), limits: Limits = SMALL, **environment: str
    ) -> Outcome:
        (work / "train.py").write_text(script, encoding="utf-8")
        shown = (Place(work, Path("/home/user/project"), writable=True), *places, *python_places())
        arguments = (sys.executable, "train.py", work.parent.name)
        return run_in_sandbox(
            Command(arguments, Path("/home/user/project"), shown, hidden, environment, limits), sandbox
        )

    return run_script
