"""Runs observed scripts one after the other, each in a process that is forked from one that has torch already.

Importing torch takes longer than these trainings. Each line of the input is a job; a line with its exit code answers.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import sys
import traceback
from pathlib import Path

import torch


def run(job: dict[str, str]) -> int:
    """Run ``main.py`` of a folder as Python does, the observer first."""
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    sys.path.insert(0, job["folder"])
    sys.argv = ["main.py"]
    code = 0
    with Path(job["printed"]).open("w", encoding="utf-8") as printed, contextlib.redirect_stdout(printed):
        try:
            if job["start"]:
                runpy.run_path(job["start"])
            runpy.run_path("main.py", run_name="__main__")
        except BaseException:
            traceback.print_exc(file=printed)
            code = 1
        atexit._run_exitfuncs()
    return code


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in ("numpy", "pandas", "PIL.Image", "torch.utils.data"):
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(run(json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
