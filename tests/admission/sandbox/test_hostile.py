"""Hostile scripts: each is contained, the verdict is right, and this computer is as it was.

None makes more than 64 processes or takes more than 1 GiB, even without a sandbox.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from llmseg.admission import Limits, Place

pytestmark = pytest.mark.slow

LIMITS = Limits(30, 30, 256 * 2**20, 24, 16 * 2**20, 2**20)

# What a script tries, and the limit that ends it.
STOPPED = {
    "fork bomb": (
        """
import os, time
for number in range(6):
    os.fork()
time.sleep(30)
""",
        "processes",
    ),
    "threads": (
        """
import threading, time
for number in range(64):
    threading.Thread(target=time.sleep, args=(30,)).start()
""",
        "processes",
    ),
    "endless loop": ("while True: pass", "wall time"),
    "signals ignored": (
        """
import signal, time
for number in {*signal.Signals} - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    time.sleep(1)
""",
        "wall time",
    ),
    "stopped": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "wall time"),
    "memory eater": ("pieces = [bytearray(b'x' * 2**20) for number in range(1000)]", "memory"),
    "memory eater in children": (
        """
import os, time
for number in range(8):
    if os.fork() == 0:
        piece = bytearray(b"x" * 100 * 2**20)
        time.sleep(30)
time.sleep(30)
""",
        "memory",
    ),
    "memory without a process": (
        """
import os, time
files = [os.memfd_create("m") for number in range(64)]
for number in range(8):
    for file in files:
        os.write(file, b"x" * 2**20)
time.sleep(30)
""",
        "memory",
    ),
    "disk filler": (
        """
import itertools, time
for number in range(500):
    with open(f"{number}.bin", "wb") as file:
        file.write(b"x" * 2**20)
    time.sleep(0.02)
""",
        "disk",
    ),
    "a million files": (
        """
for number in range(100_000):
    open(f"{number}.txt", "w").close()
""",
        "disk",
    ),
    "folders without end": (
        """
import os, time
for number in range(500):
    os.mkdir("d")
    os.chdir("d")
time.sleep(30)
""",
        "disk",
    ),
    "files that nobody may read": (
        """
import os, time
os.mkdir("closed")
file = open("closed/big.bin", "wb")
os.chmod("closed", 0)
for number in range(500):
    file.write(b"x" * 2**18)
    file.flush()
    time.sleep(0.02)
""",
        "disk",
    ),
    "flood of output": (
        """
import sys
while True:
    sys.stderr.write("x" * 10_000)
""",
        "output",
    ),
}


@pytest.fixture(autouse=True)
def computer(tmp_path):
    """This computer is as it was: no process is left, and its disk is not full."""
    free = shutil.disk_usage(tmp_path).free
    yield
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert [command for command in commands if tmp_path.name in command] == []
    assert shutil.disk_usage(tmp_path).free > free - 2**30


@pytest.mark.parametrize("name", STOPPED)
def test_a_limit_ends_it(run, name):
    script, limit = STOPPED[name]
    limits = replace(LIMITS, seconds=2) if limit == "wall time" else LIMITS
    outcome = run(script, limits=limits)
    assert (outcome.ended_by, outcome.limit, outcome.faults) == ("limit", limit, ())
    assert outcome.usage.seconds < 25
    assert outcome.usage.disk_bytes < 2**30
    assert len(outcome.output) <= LIMITS.output_bytes


@pytest.fixture
def masks(tmp_path):
    """Test masks, beside the images that a script may read."""
    folder = tmp_path / "data" / "masks"
    folder.mkdir(parents=True)
    (folder / "secret.txt").write_text("test mask")
    return folder


def test_network_calls_fail_at_once(run):
    outcome = run("""
import urllib.request
urllib.request.urlopen("http://192.0.2.1/weights.pth", timeout=20)
""")
    assert outcome.ended_by == "script"
    assert "urllib.error.URLError" in (outcome.exception or "")
    assert outcome.usage.seconds < 20


@pytest.mark.parametrize("how", ["open('/data/masks/secret.txt')", "open('{path}')", "open('/proc/1/root{path}')"])
def test_test_masks_cannot_be_read(run, masks, how):
    script = f"print({how.format(path=masks / 'secret.txt')}.read())"
    outcome = run(script, Place(masks.parent, Path("/data")), hidden=(masks,))
    assert outcome.exception is not None
    assert "test mask" not in outcome.output


def test_a_link_to_the_test_masks_does_not_come_back_as_a_prediction(run, masks, work):
    """Opened outside, it would be a perfect prediction."""
    outcome = run(f"import os; os.symlink('{masks / 'secret.txt'}', 'prediction.png')")
    assert outcome.is_finished
    assert outcome.results.removed == (work / "prediction.png",)
    assert not (work / "prediction.png").is_symlink()


@pytest.mark.parametrize("where", ["{path}/new.txt", "/usr/lib/new.txt", "/etc/new.txt", "/data/new.txt", "/new.txt"])
def test_nothing_is_written_outside(run, masks, where):
    masks.parent.chmod(0o777)
    target = where.format(path=masks)
    outcome = run(f"open('{target}', 'w')", Place(masks.parent, Path("/data")))
    assert (outcome.exception or "").split(":")[0] in ("PermissionError", "OSError", "FileNotFoundError")
    assert not Path(target).exists()
    assert not (masks.parent / "new.txt").exists()


def test_a_pickle_bomb_goes_off_inside_only(run, work, masks):
    """One that the script loads, and one that it leaves as weights for whoever loads them."""
    outcome = run(f"""
import os, pickle
class Bomb:
    def __reduce__(self):
        return os.system, ("touch {masks}/off off-inside",)
pickle.loads(pickle.dumps(Bomb()))
class Left:
    def __reduce__(self):
        return os.system, ("touch {masks}/off",)
open("weights.pth", "wb").write(pickle.dumps(Left()))
""")
    assert outcome.is_finished
    assert outcome.results.weights == (work / "weights.pth",)
    assert not (masks / "off").exists()


def test_a_process_that_outlives_its_parent(run, work):
    outcome = run("""
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        open("heartbeat", "a").write("x")
        time.sleep(0.01)
while not os.path.exists("heartbeat"):
    time.sleep(0.01)
""")
    assert outcome.is_finished
    size = (work / "heartbeat").stat().st_size
    assert size
    assert (work / "heartbeat").stat().st_size == size


def test_it_can_only_end_itself(run):
    """What it can signal is the part of the sandbox in which it runs; who watches it is out of reach."""
    outcome = run("""
import os, signal
for pid in [os.getppid(), 1, *map(int, filter(str.isdigit, os.listdir("/proc")))]:
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError as error:
            print(error)
""")
    assert (outcome.ended_by, outcome.faults) == ("script", ())


def test_a_printed_traceback_of_the_sandbox_is_not_believed(run):
    outcome = run("import sys; print('bwrap: no such file'); print('and more'); sys.exit(1)")
    assert (outcome.ended_by, outcome.exit_code) == ("script", 1)


def test_names_of_files_move_no_cursor(run):
    outcome = run(r"open('\x1b[2J.pth', 'w').write('w'); print('\x1b[2J')")
    assert "\x1b" not in outcome.tail
    assert len(outcome.results.weights) == 1


def test_root_is_nobody_inside(run):
    if os.geteuid() != 0:
        pytest.skip("nobody is root here")
    outcome = run("import os; print(os.getuid() != 0, open('/proc/self/status').read())")
    assert outcome.output.startswith("True")
    assert "CapEff:\t0000000000000000" in outcome.output
    assert "NoNewPrivs:\t1" in outcome.output
