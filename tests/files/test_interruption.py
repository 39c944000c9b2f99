"""Signals that ask a process to end: one line, the exit code of the signal, nothing half-written left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from llmseg.files.interruption import collect_notices, describe_signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PROGRAM = """
import os, signal, sys
from pathlib import Path
from llmseg.cli.output import print_line
from llmseg.files import replace_file
from llmseg.files.interruption import collect_notices, discard_at_end, end_on_signals

folder, what = Path(sys.argv[1]), sys.argv[2]
if what == "ignored":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with end_on_signals(print_line):
    if what == "twice":
        with collect_notices() as notices:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
                print(notices, flush=True)
    (folder / "scratch").mkdir()
    (folder / "scratch" / "file").write_text("half")
    discard_at_end(folder / "scratch")
    with replace_file(folder / "table.csv") as path:
        path.write_text("half of it")
        try:
            os.kill(os.getpid(), signal.SIGHUP if what == "ignored" else int(what))
        except BaseException:
            print("an exception, which a library may swallow")
print("went on")
"""


def run(folder, what):
    command = [sys.executable, "-c", PROGRAM, str(folder), str(what)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_command_ends_with_one_line_and_leaves_nothing_half_written(tmp_path, signum):
    (tmp_path / "table.csv").write_text("before")
    ended = run(tmp_path, int(signum))
    assert ended.returncode == 128 + signum
    assert ended.stdout == ""
    line = f"llmseg: stopped by {describe_signal(signum)}; give the same command again to go on\n"
    assert ended.stderr == line
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "before"


THREADS = """
import os, signal, sys, threading, time
from pathlib import Path
from llmseg.cli.output import print_line
from llmseg.files import write_text
from llmseg.files.interruption import end_on_signals

def write(folder):
    number = 0
    while True:
        number += 1
        write_text(Path(folder) / f"{threading.get_ident()}-{number % 9}.csv", "whole")

with end_on_signals(print_line):
    for _ in range(4):
        threading.Thread(target=write, args=sys.argv[1:], daemon=True).start()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize("number", range(5))
def test_threads_that_write_meanwhile_leave_nothing_half_written(tmp_path, number):
    ended = subprocess.run([sys.executable, "-c", THREADS, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 143
    assert ended.stderr.count("\n") == 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv"}
    assert {path.read_text() for path in tmp_path.iterdir()} == {"whole"}


def test_an_ignored_signal_stays_ignored(tmp_path):
    ended = run(tmp_path, "ignored")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "went on\n", "")
    assert (tmp_path / "table.csv").read_text() == "half of it"


def test_a_second_interrupt_ends_at_once(tmp_path):
    ended = run(tmp_path, "twice")
    assert ended.returncode == 130
    assert ended.stdout.splitlines() == ["[2]"]
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_block_collects_signals_and_handles_late_ones_as_before(signum):
    taken = []
    before = signal.signal(signum, lambda number, _: taken.append(number))
    try:
        stopped = False
        try:
            with collect_notices() as notices:
                os.kill(os.getpid(), signum)
                raise KeyError(*notices)
        except KeyError as error:
            stopped = error.args == (signum,)
        assert stopped
        assert taken == []
        with collect_notices() as notices:
            os.kill(os.getpid(), signum)
            assert notices == [signum]
        assert taken == [signum]
    finally:
        signal.signal(signum, before)
