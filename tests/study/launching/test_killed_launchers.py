"""Launchers that are killed at any moment, and several at once, end with the bytes of an undisturbed study."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback

import pytest
import torch

from llmseg import hold_out, run_study
from llmseg.study import Variant

pytestmark = pytest.mark.slow

LAUNCHERS = 3


@pytest.fixture
def start(tiny_recipe, phantoms, tmp_path):
    """A function that works on a study in a new process, as another launcher would; it returns the process's number."""
    recipe = tiny_recipe.change("fit.epochs", 3)
    variants = [Variant("fast", recipe), Variant("slow", recipe.change("fit.rate", 1e-4))]
    options = {"holdout": hold_out(phantoms, fraction=0.2, progress=False), "seeds": 2, "device": "cpu"}

    def launch(folder):
        process = os.fork()
        if process:
            return process
        torch.set_num_threads(1)  # processes with two threads each would wait for one another
        try:
            run_study(None, variants, phantoms, tmp_path / folder, progress=False, **options)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    return launch


def wait(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_the_bytes_are_those_of_an_undisturbed_study(start, read_study, tmp_path):
    began = time.monotonic()
    assert wait(start("whole")) == 0
    whole, seconds = read_study(tmp_path / "whole"), time.monotonic() - began
    assert len(whole) > 3 + 4 * 5
    chance = random.Random(0)
    for _ in range(20):
        process = start("killed")
        time.sleep(chance.uniform(0, seconds / 6))
        os.kill(process, signal.SIGKILL)
        wait(process)
    for _ in range(3):
        processes = [start("killed") for _ in range(LAUNCHERS)]
        time.sleep(chance.uniform(0, seconds / 6))
        for process in processes[1:]:
            os.kill(process, signal.SIGKILL)
        # Until somebody waits for a killed process it is in the list of processes, and its lease stays for two minutes.
        assert all(wait(process) in (0, -signal.SIGKILL) for process in processes[1:])
        assert wait(processes[0]) == 0
    assert read_study(tmp_path / "killed") == whole
    work = tmp_path / "killed" / ".work"
    assert not [*(work / "attempts").iterdir(), *(work / "leases").iterdir(), *(tmp_path / "killed").glob("failures/*")]
