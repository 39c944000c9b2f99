from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from llmseg import Study, Terminated, UserError
from llmseg.cli.text.status import status_text
from llmseg.files.locks import Lease
from llmseg.study import Cell, Failure, read_study_status
from llmseg.study.launching.cells import LAUNCHER, take_attempt
from llmseg.study.launching.failures import write_failure
from llmseg.study.launching.outlook import format_seconds

from ..conftest import find_cell, stop_at


@pytest.fixture
def unfinished(run, fake_trainings, tmp_path):
    """A study of six cells of which one is finished and one was stopped."""
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run()
    return tmp_path / "s"


def test_a_finished_study(run):
    (state,) = read_study_status(run().folder)
    assert (state.cells, state.finished, state.running, state.failures) == (6, 6, (), ())
    assert (state.last_hour, state.seconds_left) == (6, 0)


def test_nobody_works_on_a_study_that_was_stopped(unfinished):
    (state,) = read_study_status(unfinished.parent)  # the folder that holds it will do
    assert (state.cells, state.finished, state.running, state.seconds_left) == (6, 1, (), None)


def test_who_works_and_since_when(unfinished):
    cell = find_cell(unfinished, "b", 0)
    lease = Lease(cell.lease)
    lease.take()
    attempt = take_attempt(cell)
    (state,) = read_study_status(unfinished)
    (running,) = state.running
    assert (running.cell, running.host, running.pid) == (cell.name, os.uname().nodename, os.getpid())
    assert running.silent is None
    assert state.seconds_left == 10  # five cells of two seconds
    text = status_text([state], now=running.since + 600)
    assert f"{cell.name}: process {os.getpid()} on {os.uname().nodename}, for 10 min" in text
    assert "1 of 6" in text
    (attempt / LAUNCHER).write_text(json.dumps({"host": "elsewhere", "pid": 1, "since": 0.0}))
    os.utime(cell.lease, (0, time.time() - 1000))
    (state,) = read_study_status(unfinished)
    assert state.running[0].silent == pytest.approx(1000, abs=5)
    assert state.seconds_left is None
    assert "no sign of life for 17 min" in status_text([state])
    lease.release()
    assert read_study_status(unfinished)[0].running == ()


def test_what_failed_and_why(unfinished):
    write_failure(unfinished, Failure("c", 0, "diverged", "the loss is not a number"))
    (state,) = read_study_status(unfinished)
    assert (state.cells, state.finished) == (4, 1)
    assert "diverged: c with seed 0: the loss is not a number" in status_text([state])


def test_where_no_study_is(tmp_path):
    with pytest.raises(UserError, match="it holds no study"):
        read_study_status(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        read_study_status(tmp_path / "nowhere")


def test_on_the_command_line(unfinished, call):
    code, out, err = call("status", unfinished)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["dataset", "cells", "running", "failed", "last", "hour", "left", "folder"]
    (facts,) = json.loads(call("status", unfinished, "--json")[1])
    assert (facts["finished"], facts["cells"], facts["folder"]) == (1, 6, str(unfinished))
    code, out, err = call("study", "work", unfinished, "--device", "cpu", "-q")
    assert (code, err) == (0, "")
    assert "6 of 6" in out
    assert Study(unfinished).is_finished
    assert call("status", unfinished, "--watch")[0] == 0  # nothing is left to watch


def test_durations_are_in_one_unit():
    assert [format_seconds(s) for s in (0, 98, 99, 5939, 5940)] == ["0 s", "98 s", "2 min", "99 min", "1.6 h"]


@pytest.mark.slow
def test_ten_thousand_cells_are_fast_and_small(tmp_path):
    names = {f"v{number}": f"{number:064d}" for number in range(2000)}
    record = {"label": None, "variants": names, "store": {"name": "s", "digest": "d"}, "holdout": "h"}
    (tmp_path / "study.json").write_text(json.dumps({**record, "epochs": None, "seeds": 5}))
    for name, digest in names.items():
        for seed in range(5):
            folder = Cell(tmp_path, name, digest, seed).folder
            for part in ("run/run.json", "evaluation/evaluation.json"):
                (folder / part).parent.mkdir(parents=True)
                (folder / part).touch()
            (folder / "cell.json").write_text('{"seconds": 3.0}')
    began = time.perf_counter()
    (state,) = read_study_status(tmp_path)
    assert time.perf_counter() - began < 3
    assert (state.finished, state.cells) == (10_000, 10_000)


def test_the_command_imports_nothing_heavy(run):
    """A state that is asked for every few seconds, beside trainings, must cost neither seconds nor memory."""
    folder = run().folder
    code = "import sys; from llmseg.cli.main import main; main(sys.argv[1:])"
    code += "; assert not {'torch', 'pandas', 'scipy', 'monai'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code, "status", str(folder)], check=True)
