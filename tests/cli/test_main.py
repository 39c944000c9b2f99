from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata

import llmseg
from llmseg.__main__ import run


def test_version(call):
    assert call("--version")[:2] == (0, f"{llmseg.__version__}\n")


def test_the_console_script_is_run_of_the_module():
    (script,) = metadata.entry_points(group="console_scripts", name="llmseg")
    assert script.load() is run


def test_as_a_module_and_quickly_imported():
    """Listing needs no torch: that is what keeps it fast."""
    listed = subprocess.run([sys.executable, "-m", "llmseg", "list"], capture_output=True, text=True, check=True)
    assert "gpt-4o" in listed.stdout
    code = "import sys, llmseg, llmseg.cli.main; print([m for m in ('torch', 'monai', 'pandas') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_bars_do_not_flood_a_log_file():
    """Only the first and the last state of a bar of two seconds are written, unless somebody asks for more."""
    code = (
        "from llmseg.__main__ import calm_bars; calm_bars(); import time; from tqdm import tqdm\n"
        "for _ in tqdm(range(10)): time.sleep(0.11)"
    )
    counts = []
    for variables in ({}, {"TQDM_MININTERVAL": "0.1"}):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TQDM_")}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={**kept, **variables})
        counts.append(done.stderr.count(b"\r"))
    assert counts[0] <= 3 < counts[1]
