from __future__ import annotations

import importlib.util
import os
import signal
import threading

import pytest

from llmseg.errors import Terminated, UserError
from llmseg.nnunet import launch
from llmseg.nnunet.launch import make_environment, run_step


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


def test_a_missing_nnunet_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="nnunetv2 is not installed; install it by pip install"):
        run_step(tmp_path, "plan", log=tmp_path / "plan.log")


def test_a_notice_stops_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr(launch.sys, "executable", "sleep")
    monkeypatch.setattr(launch, "_MODULE", ("60",))
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(Terminated, match="the same command goes on"):
        run_step(tmp_path, "1", log=tmp_path / "log", progress=False)
