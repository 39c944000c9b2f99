"""The tables of a page are those of the results they are made from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_the_page_has_the_tables_of_the_results():
    command = [sys.executable, str(BENCHMARKS / "what_we_found.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or "run python benchmarks/what_we_found.py and read the page again"
