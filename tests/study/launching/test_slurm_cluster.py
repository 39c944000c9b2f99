"""A study on a real SLURM of one node, whose jobs are stopped and killed, ends with the bytes of an undisturbed one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from llmseg.study import read_study_status

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
DAEMONS = ("munged", "slurmctld", "slurmd")
CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# A job that goes back into the queue waits for so many seconds there.
AuthInfo=socket={folder}/munge.socket,cred_expire=6
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The folder of a SLURM of one node, which runs until the tests are over; ``SLURM_CONF`` names it to commands."""
    missing = [name for name in (*DAEMONS, "sbatch") if shutil.which(name, path=PATH) is None]
    if missing:
        pytest.skip(f"no SLURM here, {', '.join(missing)} missing: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("slurmd starts jobs for all users, which only root may do")
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    text = CONFIGURATION.format(host=host, folder=folder, ports=find_free_ports(2))
    (folder / "slurm.conf").write_text(text)
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    commands = (
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files],
        ["slurmctld", "-D", "-c"],
        ["slurmd", "-D", "-N", host],
    )
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("PATH", PATH)
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        for command in commands:
            stack.callback(end, start_daemon(command, folder))
            time.sleep(1)
        wait_until(lambda: call("sinfo", "--noheader", "--format=%t") == "idle", 30)
        stack.callback(end_jobs)
        yield folder


def find_free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("", 0))
        return [one.getsockname()[1] for one in sockets]


def start_daemon(command, folder):
    with (folder / f"{command[0]}.out").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_jobs():
    call("scancel", "--user=root")
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not call("squeue", "--noheader"), 60)


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout.strip()


def llmseg(*words):
    return call(sys.executable, "-m", "llmseg", *words)


def wait_until(holds, seconds):
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not after {seconds} s")
        time.sleep(0.2)


def show_job(job):
    """The facts that SLURM has of a job, such as JobState and Restarts."""
    return dict(re.findall(r"(\w+)=(\S+)", call("scontrol", "show", "job", job)))


def count_restarts(job):
    return int(show_job(job)["Restarts"])


def finds_missing_jobs():
    """Let SLURM ask the node for its jobs now; it does so by itself after some minutes."""
    call("scontrol", "reconfigure")
    time.sleep(2)
    return True


def list_launchers(study):
    """The process of the launcher of every job that works on a cell now."""
    found = {}
    for cell in read_study_status(study)[0].running if (study / "drawn" / "study.json").is_file() else ():
        with contextlib.suppress(psutil.Error):
            if cell.silent is None:
                process = psutil.Process(cell.pid)
                numbers = process.environ()
                found[f"{numbers['SLURM_ARRAY_JOB_ID']}_{numbers['SLURM_ARRAY_TASK_ID']}"] = process
    return found


def kill_node(launcher):
    """Kill what SLURM runs for a job, as a node that loses its power does."""
    step = next(process for process in launcher.parents() if process.name() == "slurmstepd")
    for process in (step, *step.children(recursive=True)):
        process.send_signal(signal.SIGKILL)


def test_the_bytes_are_those_of_an_undisturbed_study(cluster, write_study, read_study, tmp_path):
    file, whole, out = write_study(tmp_path), tmp_path / "whole", tmp_path / "out"
    llmseg("study", "run", file, "--out", whole, "--quiet")

    submitted = json.loads(llmseg("study", "submit", file, "--out", out, "--time=10", "--jobs=3", "--quiet", "--json"))
    assert submitted["script"] == str(out / "launchers.sbatch")
    wait_until(lambda: len(list_launchers(out)) == 3, 300)
    launchers = list_launchers(out)
    jobs = timed, killed, requeued = sorted(launchers)

    # Less than the two minutes of the notice are left of it, so SLURM gives the notice as soon as it looks.
    call("scontrol", "update", f"JobId={timed}", "TimeLimit=2")
    kill_node(launchers[killed])
    call("scontrol", "requeue", requeued)
    wait_until(lambda: count_restarts(timed) == count_restarts(requeued) == 1, 120)
    call("scontrol", "update", f"JobId={timed}", "TimeLimit=10")
    wait_until(lambda: finds_missing_jobs() and count_restarts(killed) == 1, 120)

    wait_until(lambda: not call("squeue", "--noheader"), 300)
    assert [show_job(job)["ExitCode"] for job in jobs] == ["0:0"] * 3
    assert [count_restarts(job) for job in jobs] == [1] * 3
    assert read_study(out / "drawn") == read_study(whole / "drawn")
    work = out / "drawn" / ".work"
    assert not [*(work / "attempts").iterdir(), *(work / "leases").iterdir(), *out.glob("*/failures/*")]
