"""The front of study files: what it prints, writes and leaves out, and that kills change nothing of it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmseg import Holdout, Study
from llmseg.study import read_study_file

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPT = BENCHMARKS / "run_all.py"
TEXT = """
pipelines = ["llama-3.1-405b", "github-copilot"]
seeds = 2
epochs = 2
changes = ["images.size=32,32"]
test.fraction = 0.3

[datasets.fundus]
synthetic = "fundus"
cases = 20

[datasets.skin]
synthetic = "dermoscopy"
cases = 20
"""


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def start(study_file, out, *options):
    """Start the script as a user does, in a process group of its own."""
    command = [sys.executable, str(SCRIPT), str(study_file), "--out", str(out), "--device", "cpu", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def finish(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out


def test_the_quick_study_has_a_network_of_31_million_weights():
    grid = read_study_file(BENCHMARKS / "studies" / "quick.toml")
    assert len(grid.pipelines) == 4
    assert "gpt-4o" in grid.pipelines
    assert [dataset.synthetic for dataset in grid.datasets] == ["dermoscopy"]


def test_what_is_missing_is_named_with_the_command_that_makes_it(tmp_path):
    process = start(BENCHMARKS / "studies" / "main.toml", tmp_path / "out")
    _, err = process.communicate()
    assert process.returncode == 2
    assert "run_all: no dataset of the study is there: bagls: " in err
    assert "llmseg data prepare ham10000 --root DOWNLOAD --out " in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_study_file_ends_with_leaderboard_verdict_and_report(study_file, tmp_path):
    study_file.write_text(TEXT + '\n[datasets.brain]\ndata = "brain.h5"\n', encoding="utf-8")
    out, copy = tmp_path / "out", tmp_path / "copy.json"
    process = start(study_file, out, "--json", str(copy), "--seeds", "1")
    printed, err = process.communicate()
    assert process.returncode == 0, err
    assert f"left out: brain: {tmp_path / 'brain.h5'} is missing; llmseg data prepare brain --root" in err
    assert (tmp_path / "out-report" / "index.html").is_file()
    assert f"report: {tmp_path / 'out-report' / 'index.html'}" in printed
    written = json.loads(copy.read_text())
    assert written == json.loads((out / "leaderboard.json").read_text())
    assert [dataset["name"] for dataset in written["datasets"]] == ["synthetic-fundus", "synthetic-dermoscopy"]
    for dataset, name in zip(written["datasets"], ("fundus", "skin"), strict=True):
        study = Study.open(out / name)
        assert dataset["verdict"] in printed
        assert (dataset["cases"], dataset["held_out"]) == (20, len(Holdout.load(out / name / "holdout.json").test_ids))
        means = [row["mean"] for row in dataset["rows"]]
        assert means == sorted(study.means()["mean"], reverse=True)
        for row in dataset["rows"]:
            (run,) = study.runs(row["variant"])
            assert row["validation_loss"] == [run.history["validation_loss"].iloc[-1]]
            assert (row["epochs"], row["size"], row["seconds"]) == (2, [32, 32], [run.record["seconds"]])
    assert finish(start(study_file, out, "--seeds", "1")) == printed, "finished cells are taken as they are"


def read_tables(out):
    """All tables of a study, its report's, and what its cells have learnt, without files that hold times."""
    timed = ("run.json", "private.json", "timing.csv", "cell.json", "evaluation.json", "leaderboard.json")
    files = [*out.rglob("*"), *Path(f"{out}-report", "data").rglob("*")]
    kept = [path for path in files if path.is_file() and ".work" not in path.parts and path.name not in timed]
    return {str(path.relative_to(out.parent)).replace(out.name, "", 1): path.read_bytes() for path in kept}


@pytest.mark.slow
def test_kills_at_any_moment_change_no_byte_of_the_tables(study_file, tmp_path):
    began = time.monotonic()
    finish(start(study_file, tmp_path / "whole"))
    seconds, whole = time.monotonic() - began, read_tables(tmp_path / "whole")
    assert sum(name.endswith("scores.csv") for name in whole) >= 2 + 8
    chance = random.Random(0)
    for signum in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT) * 2:
        process = start(study_file, tmp_path / "killed")
        time.sleep(chance.uniform(seconds / 4, seconds / 2))
        os.killpg(process.pid, signum)
        _, err = process.communicate()
        # While Python still imports, an interruption ends in its own traceback.
        imports = process.returncode == 1 and "KeyboardInterrupt" in err and "<frozen importlib" in err
        assert imports or process.returncode in (0, -signum, 128 + signum), err
    processes = [start(study_file, tmp_path / "killed") for _ in range(3)]
    time.sleep(chance.uniform(seconds / 4, seconds / 2))
    for process in processes[1:]:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finish(processes[0])
    assert read_tables(tmp_path / "killed") == whole
    left = [*(tmp_path / "killed").glob("*/.work/attempts/*"), *(tmp_path / "killed").glob("*/.work/leases/*")]
    assert left == []
