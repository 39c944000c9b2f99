from __future__ import annotations

import importlib.util
import json
import os
import signal
import threading

import pytest

from llmseg.errors import Terminated, UserError
from llmseg.nnunet import launch
from llmseg.nnunet.folder import BUDGET, RECORD, Baseline
from llmseg.nnunet.importing import import_training
from llmseg.nnunet.launch import make_environment, run_step
from llmseg.nnunet.train import predict_nnunet


def test_the_environment_is_not_that_of_the_users_nnunet(tmp_path, monkeypatch):
    for name in ("nnUNet_raw", "nnUNet_results", "nnUNet_wandb_enabled", "nnUNet_n_proc_DA", "nnUNet_compile"):
        monkeypatch.setenv(name, "the user's")
    variables = {name: value for name, value in make_environment(tmp_path).items() if name.startswith("nnUNet")}
    assert all(variables[f"nnUNet_{kind}"].startswith(str(tmp_path)) for kind in ("raw", "preprocessed", "results"))
    assert (variables["nnUNet_n_proc_DA"], variables["nnUNet_compile"]) == ("0", "f")
    assert "nnUNet_wandb_enabled" not in variables
    on_gpu = make_environment(tmp_path, "cuda:1")
    assert (on_gpu["CUDA_VISIBLE_DEVICES"], on_gpu["nnUNet_n_proc_DA"]) == ("1", "the user's")
    assert "nnUNet_wandb_enabled" not in on_gpu


def test_a_failure_is_one_line_with_the_end_of_the_log(tmp_path):
    with pytest.raises(UserError) as caught:
        run_step(tmp_path, "nonsense", log=tmp_path / "some.log", progress=False)
    message = str(caught.value)
    assert "nnU-Net's nonsense ended with exit code 1" in message
    assert "KeyError: 'nonsense'" in message
    assert str(tmp_path / "some.log") in message
    assert "\n" not in message


def test_a_missing_nnunet_is_told(tmp_path, monkeypatch, call):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="nnunetv2 is not installed; install it by pip install"):
        run_step(tmp_path, "plan", log=tmp_path / "plan.log")
    code, _, error = call("nnunet", "prepare", "--synthetic", "fundus", "--out", tmp_path / "out")
    assert (code, error.count("\n")) == (2, 1)
    assert "nnunetv2 is not installed" in error
    assert not (tmp_path / "out").exists()


def test_a_notice_stops_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr(launch.sys, "executable", "sleep")
    monkeypatch.setattr(launch, "_MODULE", ("60",))
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(Terminated, match="the same command goes on"):
        run_step(tmp_path, "1", log=tmp_path / "log", progress=False)


@pytest.fixture
def begun(store, tmp_path):
    """A baseline with a training that was interrupted."""
    folder = tmp_path / "out"
    training = folder / "trainings" / "4-iterations-2-epochs-seed-0"
    training.mkdir(parents=True)
    (training / BUDGET).write_text(json.dumps({"epochs": 2, "iterations": 4, "seconds": None, "seed": 0}))
    split = {"train": [], "validation": [], "test": []}
    record = {"status": "prepared", "dataset": "Dataset001_x", "store": {"digest": store.digest}}
    record |= {"split": split, "cases": {}}
    (folder / RECORD).write_text(json.dumps(record))
    return Baseline.open(folder)


def test_what_needs_a_training_that_has_ended_says_so(begun, store, call):
    (training,) = begun.trainings
    with pytest.raises(UserError, match="has not ended; go on with llmseg nnunet train"):
        predict_nnunet(training)
    with pytest.raises(UserError, match="has not ended; give its command again"):
        import_training(training, store)
    code, _, error = call("nnunet", "predict", "--out", begun.folder)
    assert (code, "no training in" in error) == (2, True)
    code, _, error = call("nnunet", "import", "--out", begun.folder, "--images", store.images, "--masks", store.masks)
    assert (code, "nothing in" in error) == (2, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seconds", 5, "--images-seen", 5], "--images-seen and --seconds are two budgets"),
        (["--equal-to", "gpt-o3", "--equal", "hours"], "must be images or seconds"),
        (["--equal-to", "gpt-o3", "--equal", "seconds"], "is known of a run only"),
        (["--budget", "all"], "no list of shares"),
        (["--seconds", 0], "must be above 0"),
    ],
)
def test_budgets_that_cannot_be_are_refused(begun, call, options, words):
    code, _, error = call("nnunet", "train", "--out", begun.folder, *options)
    assert (code, words in error) == (2, True), error
