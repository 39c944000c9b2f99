"""A sample that is run in a process of its own and observed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmseg.admission.observing import Phantoms, observer_environment, write_phantoms

PIPELINES = Path(__file__).parents[1] / "pipelines"
RECORDS = {
    each["name"]: each for each in json.loads((PIPELINES / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]
}


@dataclass(frozen=True)
class Ran:
    """A script that ended: its record, the cases that it was given, what it printed."""

    record: Path
    phantoms: Phantoms
    printed: str


def run_observed(folder: Path, record: Path | None) -> str:
    """Run ``main.py`` of a folder and return what it printed; nothing is recorded without a folder for it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
    if record is not None:
        record.mkdir()
        environment |= observer_environment(record)
    ended = subprocess.run(
        [sys.executable, "main.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def observe_sample(copy_sample: Callable[..., Path], tmp_path: Path) -> Callable[[str], Ran]:
    """A function that runs a sample for three epochs on twenty phantoms and observes it."""

    def observe(name: str) -> Ran:
        record = RECORDS[name]
        phantoms = Phantoms(channels=record["channels"], noisy=True)
        write_phantoms(tmp_path / "data", phantoms)
        main = (PIPELINES / name / "main.py").read_text(encoding="utf-8")
        epochs = record["epochs_text"]
        edits = [("main.py", epochs, epochs.replace(str(record["epochs"]), "3"))]
        for kind, path in record["paths"].items():
            quote = '"' if f'"{path}"' in main else "'"
            edits.append(("main.py", f"{quote}{path}{quote}", f"{quote}{tmp_path / 'data' / kind}{quote}"))
        printed = run_observed(copy_sample(name, *edits), tmp_path / "record")
        return Ran(tmp_path / "record", phantoms, printed)

    return observe
