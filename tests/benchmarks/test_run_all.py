from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from llmseg import Evaluation, Holdout, Run
from llmseg.study.results import read_results

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "run_all.py"


def run_all(out, *arguments):
    command = [sys.executable, str(SCRIPT), "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_demo_in_small(tmp_path):
    arguments = ("--quick", "--pipelines", "llama-3.1-405b", "github-copilot", "--cases", "16", "--epochs", "1")
    first = run_all(tmp_path, *arguments, "--json", str(tmp_path / "copy.json"))
    assert first.returncode == 0, first.stderr
    out = tmp_path / "synthetic-dermoscopy"
    written = json.loads((out / "leaderboard.json").read_text())
    rows = written["rows"]
    assert {row["pipeline"] for row in rows} == {"llama-3.1-405b", "github-copilot"}
    assert [row["dice"] for row in rows] == sorted((row["dice"] for row in rows), reverse=True)
    held = set(Holdout.load(out / "holdout.json").test_ids)
    assert written["store"]["held_out"] == len(held)
    for row in rows:
        run, evaluation = Run.open(out / row["pipeline"] / "run"), Evaluation(out / row["pipeline"] / "evaluation")
        split = run.split
        assert not held & {*split.train, *split.validation, *split.test}
        assert set(evaluation.scores["case"]) == held
        assert (run.folder / "replay").is_dir()
    assert (tmp_path / "copy.json").read_text() == (out / "leaderboard.json").read_text()
    assert str(out) in first.stdout
    with Image.open(out / "leaderboard.png") as image:
        assert image.size[0] > 500
    assert set(read_results([out]).scores.contenders) == {"llama-3.1-405b", "github-copilot"}
    again = run_all(tmp_path, *arguments)
    assert again.stdout == first.stdout, "finished runs are taken as they are"
    other = run_all(tmp_path, *arguments[:-1], "2")
    assert other.returncode == 2
    assert "holds a run of another recipe (fit.epochs is 1 there and 2 here)" in other.stderr
