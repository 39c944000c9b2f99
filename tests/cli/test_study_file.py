"""llmseg study plan and llmseg study run."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.study.conftest import write_cell

TEXT = """
pipelines = ["llama-3.1-405b", "bing-copilot"]
seeds = 1
epochs = 1
changes = ["images.size=32,32"]

[datasets.drawn]
synthetic = "fundus"
cases = 20
"""


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _short_calibration(monkeypatch):
    monkeypatch.setattr("llmseg.training.cost._SECONDS", 0.0)


def test_plan_lists_what_would_be_trained(call, study_file, tmp_path):
    code, out, _ = call("study", "plan", study_file, "--out", tmp_path / "out", "-q")
    assert code == 0
    assert "synthetic-fundus  2      2" in out
    assert "2 cells, 2 open: about" in out
    assert not (tmp_path / "out").exists()
    code, out, _ = call("study", "plan", study_file, "--max-hours", "100", "--json", "-q")
    rows = json.loads(out)
    assert [row["contender"] for row in rows] == ["llama-3.1-405b", "bing-copilot"]  # the cheapest first
    assert all(row["seconds"] > 0 and row["memory_gb"] > 0 for row in rows)


def test_a_plan_says_that_other_work_makes_its_estimates_too_long(call, study_file, monkeypatch):
    monkeypatch.setattr("psutil.getloadavg", lambda: (1e3, 0.0, 0.0))
    assert "load 1000.0" in call("study", "plan", study_file, "-q")[2]
    monkeypatch.setattr("psutil.getloadavg", lambda: (0.0, 0.0, 0.0))
    assert "load" not in call("study", "plan", study_file, "-q")[2]


def test_a_plan_names_what_cannot_be_trained(call, study_file):
    study_file.write_text(TEXT.replace("cases = 20", "cases = 5"), encoding="utf-8")
    code, out, _ = call("study", "plan", study_file, "-q")
    assert code == 0
    assert "cannot be trained:\n  " in out
    assert "too few" in out


@pytest.mark.parametrize("command", [("plan",), ("run", "--out", "out")])
def test_a_mistake_is_one_line_and_nothing_is_written(call, study_file, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study_file.write_text(TEXT.replace("seeds", "sedes"), encoding="utf-8")
    name, *options = command
    code, out, err = call("study", name, study_file, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"llmseg: {study_file}: no key 'sedes'; did you mean 'seeds'")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


@pytest.fixture
def fake_trainings(monkeypatch):
    """Let trainings write their results at once."""
    monkeypatch.setattr(
        "llmseg.study.launching.launcher.train_and_score", lambda task, attempt, *_: write_cell(task, attempt) or 1
    )
    monkeypatch.setattr("llmseg.study.design.check_recipe", lambda *_: None)
    monkeypatch.setattr("llmseg.cli.study.judge", lambda _: {"dice": "a verdict"})  # it would read whole runs


def test_a_run_of_some_hours_says_what_is_left_and_its_advice_goes_on(
    call, study_file, tmp_path, fake_trainings, monkeypatch
):
    monkeypatch.setattr("llmseg.study.file.run._measure_speed", lambda *_: 1e6)
    out = tmp_path / "my out"
    code, printed, err = call(
        "study", "run", study_file, "--out", out, "-q", "--max-hours", "0.001", "--retry", "diverged"
    )
    assert code == 0
    assert "2 of 2 cells are left, for no other fits into 0.001 h; go on with: llmseg study run " in err
    assert printed == ""
    command = shlex.split(err.partition("go on with: llmseg ")[2].replace("0.001", "20"))
    monkeypatch.setattr("llmseg.study.file.run._measure_speed", lambda *_: 1e12)
    code, printed, err = call(*command, "-q")
    assert (code, err) == (0, "llmseg: all 2 cells are finished\n")
    assert "llama-3.1-405b  0." in printed


@pytest.mark.parametrize("hours", ["0", "-1", "nan"])
def test_hours_are_above_0_and_nothing_is_written_otherwise(call, study_file, tmp_path, hours):
    code, _, err = call("study", "run", study_file, "--out", tmp_path / "out", "-q", "--max-hours", hours)
    assert (code, err) == (2, f"llmseg: {hours} hours; give a number above 0\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_study_runs_and_is_reported_as_one(call, study_file, tmp_path):
    study_file.write_text(TEXT + '\n[datasets.other]\nsynthetic = "dermoscopy"\ncases = 20\n', encoding="utf-8")
    code, out, err = call("study", "run", study_file, "--out", tmp_path / "out", "-q")
    assert code == 0, err
    assert out.count("llama-3.1-405b  0.") == 2
    assert out.rstrip().endswith(f"next: llmseg report {tmp_path / 'out'} -o {tmp_path / 'out'}-report")
    code, again, _ = call("study", "run", study_file, "--out", tmp_path / "out", "-q")
    assert (code, again) == (0, out)
    code, planned, _ = call("study", "plan", study_file, "--out", tmp_path / "out", "-q")
    assert "4 cells, 0 open" in planned
    code, _, err = call("report", tmp_path / "out", "-o", tmp_path / "report")
    assert code == 0, err
    assert {"synthetic-fundus.html", "synthetic-dermoscopy.html"} <= {
        page.name for page in (tmp_path / "report" / "datasets").iterdir()
    }
