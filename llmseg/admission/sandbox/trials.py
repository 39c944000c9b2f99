"""Small commands that try to break each promise of a sandbox; no more than 64 processes and 1 GiB each.

A script prints ``BROKEN`` and what it could do that it should not. ``{names}`` in braces are filled in from the
:class:`~llmseg.admission.sandbox.conformance.Ground` on which the trials take place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmseg.admission.sandbox.command import Limits

_TRY = """
import os, sys, time, signal, socket, ctypes
def attempt(what, action):
    try:
        print("BROKEN", what, action())
    except Exception as error:
        print("refused", what, type(error).__name__)
"""


_SMALL = Limits(30, 30, 512 * 2**20, 32, 64 * 2**20, 2**20)


@dataclass(frozen=True)
class Trial:
    """An attempt to break a promise.

    Attributes:
        promise: The promise.
        script: The script, in Python.
        limits: What it may use.
        ended_by_limit: The limit that has to end it, ``None`` if it has to end itself.
    """

    promise: str
    script: str
    limits: Limits = _SMALL
    ended_by_limit: str | None = None

    def fill_in(self, names: Mapping[str, object]) -> str:
        """Return the script with names of the ground in it."""
        filled = self.script
        for name, value in names.items():
            filled = filled.replace(f"{{{name}}}", repr(value))
        return _TRY + filled


TRIALS = (
    Trial(
        "network",
        """
def connect(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.settimeout(2)
        s.connect(("127.0.0.1", {port}))
        s.sendall(b"hello")
        return s.recv(5) if kind == socket.SOCK_STREAM else "sent"
attempt("tcp", lambda: connect(socket.SOCK_STREAM))
try:
    connect(socket.SOCK_DGRAM)
except OSError as error:
    print("refused", error)
def meet():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(chr(0) + {abstract})
attempt("socket of this computer", meet)
""",
    ),
    Trial(
        "writing outside",
        """
for path in [{outside}, {data}, "/usr", "/", "/etc", "/home", "/dev", os.path.dirname(sys.executable)]:
    attempt(path, lambda: open(os.path.join(path, "written-by-a-trial.txt"), "w").write("x"))
attempt("remove", lambda: os.remove({canary}))
attempt("change", lambda: open({canary}, "a").write("x"))
""",
    ),
    Trial(
        "reading outside",
        """
for root in ["", "/proc/self/root", "/proc/1/root", f"/proc/{os.getppid()}/root", "/proc/self/cwd/../../../../.."]:
    attempt(root + {canary}, lambda: open(root + {canary}).read())
os.symlink({canary}, "link.txt")
attempt("link", lambda: open("link.txt").read())
def second_name():
    os.link({canary}, "name.txt")
    return open("name.txt").read()
attempt("second name", second_name)
""",
    ),
    Trial(
        "hidden files",
        """
import shutil
for name in [{mask}, {masks} + "/inner/b.txt"]:
    for root in ["", "/proc/self/root", "/proc/1/root"]:
        attempt(root + name, lambda: open(root + name).read()[:1] or 1 / 0)
def copy():
    os.link({mask}, "copy.txt")
    return open("copy.txt").read()
attempt("second name", copy)
attempt("rename", lambda: os.rename({masks}, {masks} + "-2"))
attempt("listing", lambda: os.listdir({masks}) or 1 / 0)
def permit():
    os.chmod({mask}, 0o644)
    return open({mask}).read()[:1] or 1 / 0
attempt("permit", permit)
assert open({shown}).read() == "shown"
""",
    ),
    Trial(
        "other processes",
        """
attempt("signal", lambda: os.kill({victim}, signal.SIGTERM))
attempt("ask", lambda: open("/proc/{victim}/environ".replace("{victim}", str({victim}))).read())
""",
    ),
    Trial(
        "moved places",
        """
assert open("/content/drive/data/shown.txt").read() == "shown"
attempt("write", lambda: open("/content/drive/data/new.txt", "w"))
""",
    ),
    Trial(
        "namespaces",
        """
libc = ctypes.CDLL(None, use_errno=True)
for name, flag in [("user", 0x10000000), ("mount", 0x20000), ("net", 0x40000000)]:
    if libc.unshare(flag) == 0:
        print("BROKEN", name)
""",
    ),
    Trial(
        "wall time",
        """
for number in range(1, 32):
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_IGN)
print("waiting")
while True:
    time.sleep(1)
""",
        replace(_SMALL, seconds=2),
        "wall time",
    ),
    Trial(
        "CPU time",
        """
os.fork()
while True:
    pass
""",
        replace(_SMALL, cpu_seconds=1),
        "CPU time",
    ),
    Trial(
        "memory",
        """
pieces = []
while len(pieces) < 1024:
    pieces.append(bytearray(os.urandom(4096) * 256))
print("BROKEN", len(pieces), "MiB")
""",
        replace(_SMALL, memory_bytes=128 * 2**20),
        "memory",
    ),
    Trial(
        "processes",
        """
import threading
made = []
while len(made) < 64:
    try:
        pid = os.fork()
    except OSError:
        time.sleep(0.1)
        continue
    if pid == 0:
        time.sleep(20)
        os._exit(0)
    made.append(pid)
time.sleep(10)
print("BROKEN", len(made), "processes")
""",
        replace(_SMALL, processes=24),
        "processes",
    ),
    Trial(
        "disk",
        """
number = 0
while number < 1000:
    with open(f"file{number}.bin", "wb") as file:
        file.write(os.urandom(2**20))
    number += 1
    time.sleep(0.01)
print("BROKEN", number, "MiB")
""",
        replace(_SMALL, disk_bytes=16 * 2**20),
        "disk",
    ),
    Trial(
        "disk",
        """
number = 0
with open("gone.bin", "wb") as file:
    os.unlink("gone.bin")
    with open("gone2.bin", "wb") as second:
        os.unlink("gone2.bin")
        while number < 500:
            for one in (file, second):
                one.write(os.urandom(2**20))
                one.flush()
            number += 1
            time.sleep(0.01)
print("BROKEN", number, "MiB without a name")
""",
        replace(_SMALL, disk_bytes=16 * 2**20),
        "disk",
    ),
    Trial(
        "disk",
        """
number = 0
folder = os.environ["TMPDIR"]
while number < 500:
    with open(f"{folder}/file{number}.bin", "wb") as file:
        file.write(os.urandom(2**20))
    number += 1
    time.sleep(0.01)
print("BROKEN", number, "MiB of temporary files")
""",
        replace(_SMALL, disk_bytes=16 * 2**20),
        "disk",
    ),
    Trial(
        "output",
        """
while True:
    sys.stdout.write("x" * 65536)
""",
        replace(_SMALL, output_bytes=2**20),
        "output",
    ),
    Trial(
        "survivors",
        """
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (0, 1, 2):
        os.close(number)
    while True:
        with open("heartbeat.txt", "a") as file:
            file.write("x")
        time.sleep(0.02)
while not os.path.exists("heartbeat.txt"):
    time.sleep(0.02)
print("left")
""",
    ),
    Trial(
        "links",
        """
os.symlink({canary}, "link.txt")
os.symlink(os.path.dirname({canary}), "folder")
os.mkfifo("pipe")
os.makedirs("a/b")
os.symlink("../../../..", "a/b/up")
open("a/real.txt", "w").write("real")
os.symlink("../real.txt", "a/b/inner.txt")
""",
    ),
)

KNOWN_GOOD = """
import csv, sys
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

images = torch.rand(8, 1, 16, 16)
loader = DataLoader(TensorDataset(images, (images > 0.5).float()), batch_size=4, num_workers=1)
net = nn.Conv2d(1, 1, 3, padding=1)
optimizer = torch.optim.Adam(net.parameters())
for image, mask in loader:
    loss = nn.functional.binary_cross_entropy_with_logits(net(image), mask)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
torch.save(net.state_dict(), "best.pth")
Image.fromarray((net(images[:1])[0, 0] > 0).numpy().astype(np.uint8) * 255).save("prediction.png")
with open("history.csv", "w", newline="") as file:
    csv.writer(file).writerows([["epoch", "loss"], [1, loss.item()]])
print("loss", loss.item())
"""
"""A training as generated code writes it, with everything a sandbox has to let through: torch, workers, three files."""
