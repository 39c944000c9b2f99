"""The command as a whole, on a CPU and in small, so that nothing is tried for the first time on a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

RUN = Path(__file__).parents[3] / "benchmarks" / "gpu" / "run.py"
STAGES = ("device", "fidelity", "throughput", "equivalence", "processes", "study")


def read(out: Path) -> dict[str, dict]:
    paths = [path for path in (out / f"{stage}.json" for stage in STAGES) if path.exists()]
    return {path.stem: json.loads(path.read_text()) for path in paths}


def kill_in_the_middle(command, out: Path) -> list[psutil.Process]:
    """Start the command, kill it when it has finished its first item, and return what of it is still alive then."""
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    workers: set[psutil.Process] = set()
    while not read(out).get("device", {}).get("items"):
        assert process.poll() is None
        workers |= set(process.children(recursive=True))
        time.sleep(0.02)
    process.kill()
    assert workers
    return psutil.wait_procs([process, *workers], timeout=60)[1]


@pytest.mark.slow
def test_everything_runs_in_small_and_goes_on_after_a_kill(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, str(RUN), "--device", "cpu", "--out", str(out), "--work", str(tmp_path / "work")]
    assert kill_in_the_middle([*command, "--minutes", "3"], out) == []
    before = read(out)
    for minutes in (3, 60):  # on a busy machine, three minutes may be too few
        done = subprocess.run([*command, "--minutes", str(minutes)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        after = read(out)
        if set(after) == set(STAGES) and not any(stage["left"] for stage in after.values()):
            break
    for stage, found in after.items():
        assert (found["left"], found["errors"], found["small"]) == ([], {}, True), stage
        assert found["items"], stage
    for stage, found in before.items():
        # With the very seconds that they took then: nothing was done twice.
        assert {name: after[stage]["items"][name] for name in found["items"]} == found["items"]
    assert before["device"]["items"]
    assert (len(after["device"]["sittings"]) > 1) == bool(before["device"]["left"])
    cells = after["study"]["items"]["cells"]["value"]["cells"]
    assert len(cells) == 2
    assert all(0 <= cell["dice"]["working"] <= 1 for cell in cells)
    whole = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == whole


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "cuda"], "no device 'cuda': this machine has 0 CUDA devices; use --device cpu"),
        (["--device", "cpu", "--data", "nowhere"], "no folder nowhere; give --data"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path, arguments, words):
    command = [sys.executable, str(RUN), *arguments, "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    blind = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=blind)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []
