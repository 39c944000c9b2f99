"""llmseg train --log and --profile."""

from __future__ import annotations

import gzip
import platform
import re
import sys
from pathlib import Path

import pytest


@pytest.fixture
def cases():
    return ("--synthetic", "fundus", "--cases", 25, "--epochs", 2, "-q")


def test_a_log_that_is_not_there_is_one_line(check_mistake, tiny_json, tmp_path):
    check_mistake(
        "no log 'tensorbord'; did you mean 'tensorboard'?; allowed: tensorboard; history.csv has losses",
        *("train", tiny_json, "--synthetic", "fundus", "--out", tmp_path / "run", "--log", "tensorbord"),
    )


def test_a_package_that_is_missing_is_one_line(check_mistake, tiny_json, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    check_mistake(
        "a log for TensorBoard needs the package tensorboard: pip install 'llmseg[tracking]'",
        *("train", tiny_json, "--synthetic", "fundus", "--out", tmp_path / "run", "--log", "tensorboard"),
    )


@pytest.mark.slow
def test_an_exact_run_has_the_same_bytes(call, content, tiny_json, cases, tmp_path):
    pytest.importorskip("tensorboard")
    plain, watched = tmp_path / "plain", tmp_path / "watched"
    assert call("train", tiny_json, *cases, "--exact", "--out", plain)[0] == 0
    options = ("--log", "tensorboard", "--profile")
    loud = [word for word in cases if word != "-q"]  # which leaves out notes
    code, out, err = call("train", tiny_json, *loud, "--exact", "--out", watched, *options)
    assert code == 0
    assert re.findall("llmseg: note: .*", err) == [
        f"llmseg: note: to see the log: tensorboard --logdir {watched / 'tensorboard'}",
        f"llmseg: note: {watched / 'profile' / 'summary.md'} says what the time of training steps goes to",
    ]
    names = ("history.csv", "listed.csv", "scores.csv", "weights.safetensors")
    assert [(watched / name).read_bytes() for name in names] == [(plain / name).read_bytes() for name in names]
    page = (watched / "profile" / "summary.md").read_text()
    assert "- Measured: 5 training steps, 6 to 10 of 10, of 4 cases each." in page
    for path in (*(watched / "profile").iterdir(), *(watched / "tensorboard").iterdir()):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        places = (platform.node(), str(tmp_path), str(Path.home()), sys.prefix)
        assert [place for place in places if place.encode() in text] == [], path.name

    code, again, err = call("train", tiny_json, *loud, "--exact", "--out", watched, *options)
    assert (code, again) == (0, out)
    assert re.findall("llmseg: note: .*", err) == [
        "llmseg: note: nothing was logged: the run was finished before, and nothing was trained",
        "llmseg: note: no steps were recorded: the run was finished before, and nothing was trained",
    ]
