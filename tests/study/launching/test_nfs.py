"""Two launchers on a real NFS export, each with a mount and a cache of its own, leave the bytes of an undisturbed one.

The kernel that exports and mounts is a Linux in user mode: few machines have NFS in their own.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import llmseg

pytestmark = [pytest.mark.slow, pytest.mark.nfs]

PROGRAMS = ("linux.uml", "rpc.nfsd", "rpc.mountd", "exportfs", "mount.nfs4", "modprobe", "ip", "unshare")
PACKAGES = "user-mode-linux nfs-kernel-server kmod iproute2"

MAPS = 1_048_576
"""What newer distributions have as ``vm.max_map_count``."""

# This kernel keeps no registers of AVX-512 for a process while another thread of it computes.
WITHOUT_AVX512 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD",
}
ENVIRONMENT = {
    **WITHOUT_AVX512,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(llmseg.__file__).parents[1]),
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "MPLCONFIGDIR": "/mnt/matplotlib",
}

MACHINE = """#!/bin/bash
{exports}
trap 'echo o > /proc/sysrq-trigger; sleep 10' EXIT
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t hostfs -o {shared} none /mnt
for folder in /run /media /var/lib/nfs; do mount -t tmpfs none $folder; done
mkdir -p /dev/shm && mount -t tmpfs none /dev/shm
touch /mnt/booted

# The server.
mkdir -p /media/kernel/lib /media/export /media/a /media/b /media/tmp /var/lib/nfs/v4recovery /run/rpc_pipefs
export TMPDIR=/media/tmp
ln -s /usr/lib/uml/modules /media/kernel/lib/modules
for module in nfsd nfsv4; do modprobe -d /media/kernel $module || exit; done
ip link set lo up
mount -t tmpfs none /media/export
mount -t nfsd nfsd /proc/fs/nfsd
exportfs -o rw,fsid=0,no_root_squash,no_subtree_check,insecure 127.0.0.1:/media/export
rpc.mountd -N 2 -N 3
rpc.nfsd -N 3 -V 4.2 -G 10 -L 10 8

# Two clients, each with its own cache.
for name in a b; do mount -t nfs4 -o vers=4.2,nosharecache 127.0.0.1:/ /media/$name || exit; done
stat -c %d /media/a /media/b > /mnt/devices
echo "$(uname -sr), mounted twice: $(grep -m 1 nfs4 /proc/mounts)" > /mnt/mounted

# A lock of the one is one for the other.
{python} -c "{hold}" /media/a/lock held &
until [ -e /media/export/lock ]; do sleep 0.2; done
{python} -c "{hold}" /media/b/lock other > /mnt/lock 2>&1
touch /mnt/asked

# Two computers with a launcher each. The second is killed while both work.
launch() {{
    LLMSEG_CACHE=/media/$1/cache unshare --uts bash -c \
        'echo "computer-$0" > /proc/sys/kernel/hostname; exec "$@"' $1 {python} -c "{run}" {study} /media/$1/out \
        > /mnt/$1.log 2>&1 &
}}
look() {{ grep -oH '"host": "[a-z-]*"' /media/export/out/drawn/.work/attempts/*/launcher.json 2> /dev/null; }}
launch a; first=$!
launch b; second=$!
until [ "$(look | cut -d: -f3- | sort -u | wc -l)" = 2 ]; do
    kill -0 $first && kill -0 $second || exit
    look >> /mnt/workers; sleep 1
done
look | tee -a /mnt/workers > /mnt/at-the-kill
kill -9 $second
while kill -0 $first 2> /dev/null; do look >> /mnt/workers; sleep 1; done
wait $first
echo $? > /mnt/code
cp -r /media/b/out /mnt/out
"""

RUN = """
import sys
from llmseg.study import run_study_file
run_study_file(sys.argv[1], sys.argv[2], progress=False)
"""

HOLD = """
import sys, time, pathlib, filelock
from llmseg.files.locks import hold_lock
try:
    with hold_lock(pathlib.Path(sys.argv[1]), advice=''):
        print('free')
        while sys.argv[2] == 'held' and not pathlib.Path('/mnt/asked').exists():
            time.sleep(0.1)
except filelock.Timeout:
    print('held')
"""


@pytest.fixture
def many_maps():
    """Let a process have as many maps as a Linux in user mode needs: one for each page, in the worst case."""
    setting = Path("/proc/sys/vm/max_map_count")
    before = setting.read_text()
    if int(before) >= MAPS:
        yield
        return
    try:
        setting.write_text(str(MAPS))
    except OSError as error:
        pytest.skip(f"a machine with NFS needs vm.max_map_count={MAPS}: {error}")
    yield
    setting.write_text(before)


@pytest.fixture
def boot(tmp_path, many_maps):
    """A function that boots a machine with a script and waits until it is off; its ``/mnt`` is a folder of this one."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=ENVIRONMENT["PATH"]) is None]
    if missing:
        pytest.skip(f"no machine with NFS here, {', '.join(missing)} missing: apt-get install {PACKAGES}")

    def run(script: Path, shared: Path) -> None:
        kernel = ["linux.uml", "mem=3G", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={script}"]
        consoles = ["con=null", "con0=null,fd:1", "ssl=null"]
        with (tmp_path / "console").open("wb") as console:
            machine = subprocess.Popen(
                [*kernel, *consoles],
                env={**os.environ, "PATH": ENVIRONMENT["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
            try:
                machine.wait(900)
            finally:
                if machine.poll() is None:
                    os.killpg(machine.pid, signal.SIGKILL)
                    machine.wait()
        if not (shared / "booted").exists():
            last = (tmp_path / "console").read_text(errors="replace").splitlines()[-1:]
            pytest.skip(f"a Linux in user mode does not boot here: {last}")

    return run


def read_workers(text):
    """The computers that worked on each cell."""
    workers: dict[str, set[str]] = {}
    for line in text.splitlines():
        place, _, host = line.partition(":")
        workers.setdefault(Path(place).parent.name.rpartition(".")[0], set()).add(json.loads(f"{{{host}}}")["host"])
    return workers


def test_the_bytes_are_those_of_an_undisturbed_study(boot, write_study, read_study, tmp_path):
    study, whole = write_study(tmp_path, seeds=2), tmp_path / "whole"
    shared, script = tmp_path / "shared", tmp_path / "machine.sh"
    shared.mkdir()
    # What matplotlib knows of fonts is kept for the machine, which would look for them for a minute.
    fonts = {"MPLCONFIGDIR": str(shared / "matplotlib")}
    command = [sys.executable, "-c", RUN, str(study), str(whole)]
    subprocess.run(command, env={**os.environ, **ENVIRONMENT, **fonts}, check=True, capture_output=True)

    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in ENVIRONMENT.items())
    facts = {"shared": shared, "python": sys.executable, "study": study, "hold": HOLD, "run": RUN}
    script.write_text(MACHINE.format(exports=exports, **facts))
    script.chmod(0o755)
    boot(script, shared)
    console = (tmp_path / "console").read_text(errors="replace")
    assert (shared / "mounted").exists(), console

    first, second = (shared / "devices").read_text().split()
    assert first != second  # for the kernel, these are two file systems, with a cache each
    assert (shared / "lock").read_text() == "held\n"

    logs = {name: (shared / f"{name}.log").read_text() for name in "ab"}
    assert (shared / "code").read_text() == "0\n", logs
    # Both worked, never on the same cell, but for the one that was left.
    left = {cell for cell, hosts in read_workers((shared / "at-the-kill").read_text()).items() if "computer-b" in hosts}
    workers = read_workers((shared / "workers").read_text())
    assert len(left) == 1
    assert {cell for cell, hosts in workers.items() if len(hosts) > 1} == left
    assert "finished by another launcher" not in logs["a"]

    assert read_study(shared / "out" / "drawn") == read_study(whole / "drawn")
    work = shared / "out" / "drawn" / ".work"
    assert not [*(work / "attempts").iterdir(), *(work / "leases").iterdir(), *shared.glob("out/*/failures/*")]
