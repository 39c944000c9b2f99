from __future__ import annotations

import importlib.util
import json

import pytest

from llmseg.nnunet.folder import BUDGET, RECORD


@pytest.fixture
def baseline(tmp_path):
    """The folder of a baseline with a training that was interrupted."""
    folder = tmp_path / "out"
    training = folder / "trainings" / "4-iterations-2-epochs-seed-0"
    training.mkdir(parents=True)
    (training / BUDGET).write_text(json.dumps({"epochs": 2, "iterations": 4, "seconds": None, "seed": 0}))
    facts = {"store": {"digest": "x"}, "split": {"train": [], "validation": [], "test": []}, "cases": {}}
    (folder / RECORD).write_text(json.dumps({"status": "prepared", "dataset": "Dataset001_x", **facts}))
    return folder


def test_a_missing_nnunet_is_told(tmp_path, monkeypatch, call):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, _, error = call("nnunet", "prepare", "--synthetic", "fundus", "--out", tmp_path / "out")
    assert (code, error.count("\n")) == (2, 1)
    assert "nnunetv2 is not installed" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--seconds", 5, "--images-seen", 5], "--images-seen and --seconds are two budgets"),
        (["train", "--equal-to", "gpt-o3", "--equal", "hours"], "must be images or seconds"),
        (["train", "--equal-to", "gpt-o3", "--equal", "seconds"], "is known of a run only"),
        (["train", "--budget", "all"], "no list of shares"),
        (["train", "--seconds", 0], "must be above 0"),
        (["predict"], "no training in"),
        (["import", "--synthetic", "fundus"], "nothing in"),
        (["import"], "give the cases in one way"),
        (["run", "--budget", "0", "--synthetic", "fundus"], "no list of shares"),
    ],
)
def test_a_mistake_is_one_line(baseline, call, arguments, words):
    code, output, error = call("nnunet", *arguments, "--out", baseline)
    assert (code, output, error.count("\n")) == (2, "", 1)
    assert words in error
