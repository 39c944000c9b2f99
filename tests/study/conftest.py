"""Studies whose trainings are not computed: what a launcher does around them is tested in milliseconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from llmseg import Study, Terminated, hold_out, run_study
from llmseg.files import make_folder
from llmseg.study import Variant
from llmseg.study.launching import launcher
from llmseg.study.launching.launcher import Task

MEASURES = ("dice", "iou")


@pytest.fixture(scope="session")
def holdout(phantoms):
    """The test cases of the studies here: a fifth of the phantoms."""
    return hold_out(phantoms, fraction=0.2)


def write_cell(task: Task, folder: Path, change: str = "") -> None:
    """Write what a training and its evaluation leave, as far as studies look at it."""
    variant, seed, fold = task.variant.name, task.cell.seed, task.cell.fold
    for name in ("run", "evaluation"):
        make_folder(folder / name)
    (folder / "run" / "weights.safetensors").write_text(f"{variant} {seed}{change}")
    cases, holdout = (task.holdout.test_ids, f"h{fold}") if fold else (range(4), "h")
    rows = ["pipeline,seed,dataset,phase,case,group,size,measure,value,holdout,evaluator"]
    for case in cases:
        for measure in MEASURES:
            value = int(hashlib.sha256(f"{variant} {seed} {case} {measure}".encode()).hexdigest()[:6], 16) / 2**24
            rows.append(f"{variant},{seed},phantoms,test,{case},g{case},native,{measure},{value},{holdout},1")
    (folder / "evaluation" / "scores.csv").write_text("\n".join(rows) + "\n")
    (folder / "run" / "run.json").write_text(json.dumps({"status": "done"}))
    (folder / "evaluation" / "evaluation.json").write_text("{}")


def find_cell(folder, variant, seed):
    return next(cell for cell in Study(folder).cells if (cell.variant, cell.seed) == (variant, seed))


def stop_at(variant, seed, error=None):
    """Return what stops the first training of a cell."""
    left = [error or Terminated("stopped by SIGTERM after step 1 of 2; the same command continues FOLDER")]

    def stop(task, attempt, at_once):
        if (task.variant.name, task.cell.seed) == (variant, seed) and left:
            (attempt / "run").mkdir(exist_ok=True)
            (attempt / "run" / "checkpoint").write_text("step 1")
            raise left.pop()

    return stop


@pytest.fixture(scope="session")
def read_study():
    """A function that gives the tables of a study, and of every cell all files that hold no times."""

    def read(study: Path) -> dict[str, bytes]:
        times = ("run.json", "private.json", "timing.csv", "cell.json", "evaluation.json")
        cells = [path for path in study.glob("*-seed*/*/*") if path.name not in times]
        tables = [study / name for name in ("scores.csv", "differences.csv", "study.json")]
        return {path.relative_to(study).as_posix(): path.read_bytes() for path in (*cells, *tables)}

    return read


@pytest.fixture
def write_study(tiny_recipe):
    """A function that writes the file of a study of some minutes: two recipes, some seeds, phantoms."""

    def write(folder: Path, seeds: int = 5) -> Path:
        long = tiny_recipe.change("fit.epochs", 100)
        (folder / "fast.json").write_text(long.to_json())
        (folder / "slow.json").write_text(long.change("fit.rate", 1e-4).to_json())
        file = folder / "study.toml"
        file.write_text(
            f'pipelines = ["fast.json", "slow.json"]\nseeds = {seeds}\n'
            '[datasets.drawn]\nsynthetic = "mri-tumour"\ncases = 25\n'
        )
        return file

    return write


@pytest.fixture
def calls() -> list[tuple[str, int]]:
    """The cells that were trained, in order."""
    return []


@pytest.fixture
def fake_trainings(monkeypatch, calls):
    """Let trainings write their results at once; give a function that sets what happens before."""
    before = []

    def train_and_score(task, attempt, launch, at_once):
        calls.append((task.variant.name, task.cell.seed))
        for happen in before:
            happen(task, attempt, at_once)
        write_cell(task, attempt)
        return 2.0

    monkeypatch.setattr(launcher, "train_and_score", train_and_score)
    monkeypatch.setattr(launcher, "_POLL", 0.01)
    monkeypatch.setattr("llmseg.study.design.check_recipe", lambda *_: None)
    return before.append


@pytest.fixture
def run(fake_trainings, tiny_recipe, phantoms, tmp_path):
    """A function that runs a study of three variants and two seeds."""
    variants = [
        Variant(name, tiny_recipe.change("fit.rate", rate)) for name, rate in zip("abc", (1, 2, 3), strict=True)
    ]
    options = {"holdout": hold_out(phantoms, fraction=0.2, progress=False), "seeds": 2, "progress": False}

    def call(folder="s", **changed):
        return run_study(None, variants, phantoms, tmp_path / folder, **{**options, **changed})

    return call
