"""Running scripts in the best sandbox of this computer: what came of them, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from llmseg.admission import Command, Limits, Place, run_in_sandbox, survey_rungs
from llmseg.admission.sandbox import ladder, rungs
from llmseg.admission.sandbox.cgroups import _read_own_groups
from llmseg.errors import UserError

TRAINS = """
import os, sys
print("training", os.environ["SEED"], os.listdir("/content/drive/data"))
open("weights.pth", "w").write("weights")
os.symlink("weights.pth", "best.pth")
os.symlink("/home", "everything")
def main():
    raise ValueError("no images")
main()
"""


@pytest.mark.slow
def test_a_script_that_fails(run, work, sandbox, tmp_path):
    """What it saw, how it ended, what it wrote; and its folder belongs to its owner again."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.png").touch()
    owner = work.stat()
    outcome = run(TRAINS, Place(tmp_path / "data", Path("/content/drive/data")), SEED="7")
    assert outcome.output.startswith("training 7 ['a.png']\n")
    assert (outcome.ended_by, outcome.exit_code, outcome.exception) == ("script", 1, "ValueError: no images")
    assert str(outcome.frame) == "/home/user/project/train.py:8"
    assert outcome.results.weights == (work / "best.pth", work / "weights.pth")
    assert outcome.results.removed == (work / "everything",)
    assert (outcome.rung, outcome.faults) == (sandbox, ())
    for path in (work, work / "weights.pth"):
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.st_uid, owner.st_gid)


@pytest.mark.slow
class TestOutcomes:
    def test_an_exit_code(self, run):
        outcome = run("import sys; print('no data'); sys.exit(3)")
        assert (outcome.ended_by, outcome.exit_code, outcome.exception) == ("script", 3, None)
        assert outcome.output == "no data\n"

    def test_a_crash(self, run):
        outcome = run("import ctypes; ctypes.string_at(0)")
        assert (outcome.ended_by, outcome.signal) == ("script", "SIGSEGV")

    def test_a_script_that_ends_itself(self, run):
        outcome = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        assert (outcome.ended_by, outcome.signal, outcome.limit) == ("script", "SIGKILL", None)

    def test_a_program_that_is_not_there_is_the_fault_of_the_harness(self, work, sandbox):
        outcome = run_in_sandbox(Command(("/usr/bin/no-such-program",), work, (Place(work, writable=True),)), sandbox)
        assert outcome.ended_by == "harness"
        assert "no-such-program" in outcome.faults[0]

    def test_weights_are_there_whoever_ended_it(self, run, work):
        script = "import time; open('best.pth', 'w').write('weights'); time.sleep(60)"
        outcome = run(script, limits=Limits(seconds=3))
        assert (outcome.ended_by, outcome.limit) == ("limit", "wall time")
        assert outcome.results.weights == (work / "best.pth",)
        assert outcome.usage.seconds >= 3

    def test_exceptions_of_a_full_disk_are_the_limit(self, run):
        """The kernel refuses one file that is larger than everything may be, before anybody can look."""
        outcome = run("open('big.bin', 'wb').truncate(2**40)")
        assert (outcome.ended_by, outcome.limit) == ("limit", "disk")

    def test_no_variables_and_no_open_files_are_inherited(self, run, monkeypatch):
        monkeypatch.setenv("SECRET_TOKEN", "secret")
        with Path(os.devnull).open() as file:
            os.set_inheritable(file.fileno(), True)
            outcome = run("import os; print(os.environ.get('SECRET_TOKEN'), len(os.listdir('/proc/self/fd')))")
        assert outcome.output == "None 4\n"

    def test_shared_memory_counts_once(self, run):
        """As between the workers of a loader: a file without a name, which is still used."""
        script = """
import multiprocessing.shared_memory as m, time
block = m.SharedMemory(create=True, size=12 * 2**20)
block.buf[:] = bytes(12 * 2**20)
block.unlink()
time.sleep(1)
"""
        outcome = run(script, limits=Limits(seconds=30, processes=32, disk_bytes=20 * 2**20))
        assert outcome.is_finished, str(outcome)
        assert 12 * 2**20 <= outcome.usage.disk_bytes < 20 * 2**20

    def test_what_was_there_before_is_no_result(self, run, work):
        (work / "old.pth").write_text("weights")
        assert run("").results.kinds == ()


@pytest.mark.slow
class TestHidden:
    @pytest.fixture
    def data(self, tmp_path):
        (tmp_path / "data").mkdir()
        for name in ("train.txt", "test.txt"):
            (tmp_path / "data" / name).write_text(name)
        return tmp_path / "data"

    def test_a_file_is_there_and_cannot_be_read(self, run, data):
        script = "print(open('/d/train.txt').read()); open('/d/test.txt')"
        outcome = run(script, Place(data, Path("/d")), hidden=(data / "test.txt",))
        assert outcome.output.startswith("train.txt\n")
        assert (outcome.exception or "").startswith("PermissionError: [Errno 13]")

    def test_many_files_and_whole_folders(self, run, data):
        """So many files take bubblewrap too long; the advice is to hide their folder."""
        (data / "masks").mkdir()
        masks = tuple(data / "masks" / f"{number}.png" for number in range(201))
        for mask in masks:
            mask.write_text("mask")
        script = "import os; print(sum(os.access(f'/d/masks/{number}.png', os.R_OK) for number in range(201)))"
        assert run(script, Place(data, Path("/d")), hidden=masks[:100]).output == "101\n"
        assert run(script, Place(data, Path("/d")), hidden=(data / "masks",)).output == "0\n"

    def test_too_many_files_are_refused(self, run, data, sandbox):
        if sandbox == "landlock":
            pytest.skip("landlock mounts nothing")
        masks = tuple(data / f"{number}.png" for number in range(201))
        for mask in masks:
            mask.touch()
        with pytest.raises(UserError, match="hide whole folders"):
            run("", Place(data, Path("/d")), hidden=masks)

    def test_limits_alone_refuse_to_hide(self, work, data, monkeypatch):
        monkeypatch.setattr(ladder, "find_reason", lambda rung: None)
        command = Command(("true",), work, (Place(work, writable=True), Place(data)), (data / "test.txt",))
        with pytest.raises(UserError, match="limits cannot hide it"):
            run_in_sandbox(command, "limits")


class TestLadder:
    def test_limits_are_never_chosen_by_themselves(self, monkeypatch):
        monkeypatch.setattr(ladder, "find_reason", lambda rung: None if rung.name == "limits" else "is not installed")
        with pytest.raises(UserError, match=r"bubblewrap: is not installed.*'limits'.*by name"):
            ladder.choose_rung()
        assert ladder.choose_rung("limits").name == "limits"

    def test_the_best_is_chosen(self, monkeypatch):
        monkeypatch.setattr(ladder, "find_reason", lambda rung: None)
        assert ladder.choose_rung().name == "bubblewrap and cgroup"

    def test_an_unknown_name_is_refused(self):
        with pytest.raises(UserError, match="did you mean 'bubblewrap'"):
            ladder.choose_rung("bublewrap")

    def test_what_each_does_not_contain_is_said(self):
        for rung in rungs.list_rungs():
            assert {*rung.promises, *rung.not_contained} == {*rungs.PROMISES}
        assert "network" in rungs.list_rungs()[-1].not_contained

    def test_programs_that_are_missing_are_named(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        ladder.find_reason.cache_clear()
        try:
            assert "install the package bubblewrap" in str(survey_rungs()["bubblewrap"])
        finally:
            ladder.find_reason.cache_clear()


@pytest.mark.slow
def test_places_that_the_user_of_scripts_cannot_read_are_refused(run, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root runs scripts as another user")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.png").touch(mode=0o600)
    with pytest.raises(UserError, match="chmod -R a\\+rX") as refused:
        run("", Place(tmp_path / "data", Path("/data")))
    advice = str(refused.value).rpartition("run: ")[2]
    subprocess.run(advice, shell=True, check=True)
    assert run("print(open('/data/a.png').read())", Place(tmp_path / "data", Path("/data"))).is_finished


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_this_library_is_ended(work, sandbox, number):
    """Its script ends with it, and a folder that can still be given back is given back."""
    code = f"""if True:
        import sys, threading, time
        from pathlib import Path
        from llmseg.admission import *
        for _ in range(50):  # such as those of a library for matrices
            threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
        script = "import time; open('begun', 'w').close(); time.sleep(300)"
        places = (Place(Path({str(work)!r}), writable=True), *python_places())
        arguments = (sys.executable, "-I", "-S", "-c", script, {work.parent.name!r})
        run_in_sandbox(Command(arguments, Path({str(work)!r}), places), {sandbox!r})
    """
    before = set(list_rooms_and_groups())
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not (work / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    process.wait()
    deadline = time.monotonic() + 10
    while (left := find_left(work.parent.name)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    while set(list_rooms_and_groups()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(list_rooms_and_groups()) <= before
    if number == signal.SIGINT:
        assert work.stat().st_uid == os.getuid()


def list_rooms_and_groups() -> list[Path]:
    rooms = Path(tempfile.gettempdir()).glob("llmseg-sandbox-*")
    return [*rooms, *(path for own in _read_own_groups().values() for path in own.glob("llmseg-*"))]


def find_left(token: str) -> list[list[str]]:
    commands = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [command for command in commands if token in command]
