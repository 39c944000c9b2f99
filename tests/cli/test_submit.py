"""llmseg study submit: the batch script, what it does with signals, and what is refused. SLURM itself is not needed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from llmseg import UserError
from llmseg.study import Allocation

STUDY = 'pipelines = ["tiny.json"]\nseeds = 2\n[datasets.drawn]\nsynthetic = "mri-tumour"\ncases = 25\n'
LAUNCHER = """#!/bin/bash
trap 'sleep 0.2; exit 143' TERM
echo begun
for i in {1..100}; do sleep 0.05; [ -e END ] && exit "$(cat END)"; done
"""


@pytest.fixture
def place(tmp_path, tiny_json, monkeypatch):
    """The current folder, with a study file, and with ``bin`` as the only place of programs but those of the system."""
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    return tmp_path


@pytest.fixture
def program(place):
    """A function that writes a program that notes in a file how it was called."""

    def write(name, text):
        path = place / "bin" / name
        path.write_text(f'#!/bin/bash\necho "$@" >> {place}/{name}.called\n{text}\n')
        path.chmod(0o755)

    return write


@pytest.fixture
def submit(call, place):
    return lambda *options: call("study", "submit", "study.toml", "--out", "out", "--quiet", *options)


def test_launchers_are_submitted(submit, program, place):
    program("sbatch", "echo '42;cluster'")
    options = ("--time=4:00:00", "--jobs=2", "--partition=gpu,long", "--gpus=a100:1", "--account=lab", "--memory=16G")
    code, out, err = submit(*options, "--cpus=4", "--qos=high", "--before=module load cuda", "--before", "echo 'a b'")
    assert (code, err) == (0, "")
    assert out.startswith(
        "submitted 2 launchers as job 42, 4:00:00 each: out/launchers.sbatch\nnext: llmseg status out"
    )
    assert (place / "sbatch.called").read_text() == "--parsable out/launchers.sbatch\n"
    lines = (place / "out" / "launchers.sbatch").read_text().splitlines()
    assert {line for line in lines if line.startswith("#SBATCH")} == {
        f"#SBATCH --{option}"
        for option in (
            *("job-name=llmseg-out", "time=4:00:00", "partition=gpu,long", "account=lab", "qos=high", "gpus=a100:1"),
            *("cpus-per-task=4", "mem=16G", "array=1-2", "nodes=1", "ntasks=1", "requeue", "open-mode=append"),
            *("signal=B:USR1@120", f"output={place}/out/slurm-%A_%a.log"),
        )
    }
    command = f"{sys.executable} -m llmseg study run {place}/study.toml --out {place}/out --quiet &"
    assert [line for line in lines if line in ("module load cuda", "echo 'a b'", command)] == [
        *("module load cuda", "echo 'a b'", command)
    ]


def test_the_launcher_gets_the_options_of_the_command(call, place, program):
    (place / "mine.py").write_text("")
    program("sbatch", "echo 7")
    command = ("study", "submit", "study.toml", "--out", "out", "--time=60", "--leave-out-failing", "--device=cuda:0")
    code, out, _ = call("--import", "mine.py", *command, "--retry=diverged", "--quiet", "--json")
    assert code == 0
    assert json.loads(out) == {"script": "out/launchers.sbatch", "jobs": 1, "id": "7"}
    text = (place / "out" / "launchers.sbatch").read_text()
    (line,) = (line for line in text.splitlines() if line.endswith(" &"))
    words = shlex.split(line)
    assert words[3:5] == ["--import", str(place / "mine.py")]
    assert words[10:] == ["--device", "cuda:0", "--leave-out-failing", "--retry", "diverged", "--quiet", "&"]


def test_print_writes_the_script_and_submits_nothing(submit, program, place):
    program("sbatch", "echo 7")
    code, out, err = submit("--time=60", "--print")
    assert code == 0
    assert out == (place / "out" / "launchers.sbatch").read_text()
    assert err == "llmseg: written, and not submitted; submit it by: sbatch out/launchers.sbatch\n"
    assert not (place / "sbatch.called").exists()


def test_no_script_is_replaced(submit, place, program):
    program("sbatch", "echo 7")
    assert submit("--time=60")[0] == submit("--time=60")[0] == submit("--time=90")[0] == 0
    names = ["launchers-2.sbatch", "launchers.sbatch"]
    assert sorted(path.name for path in (place / "out").iterdir()) == names
    code, _, err = submit("--time=60", "--script=study.toml")
    assert (code, err) == (
        2,
        "llmseg: study.toml is there with other content, which is kept; choose another --script\n",
    )
    assert (place / "study.toml").read_text() == STUDY


def test_odd_letters_of_a_folder_reach_bash_and_slurm_as_they_are(call, place, program):
    program("sbatch", "echo 7")
    out = place / "a 'b' 50%"
    code, _, err = call("study", "submit", "study.toml", "--out", out, "--time=60", "--quiet")
    assert code == 0, err
    script = out / "launchers.sbatch"
    subprocess.run(["bash", "-n", script], check=True)
    text = script.read_text()
    (log,) = (line for line in text.splitlines() if line.startswith("#SBATCH --output="))
    assert shlex.split(log, comments=False)[1:] == [f"--output={place}/a 'b' 50%%/slurm-%A_%a.log"]
    (command,) = (line for line in text.splitlines() if line.endswith("--quiet &"))
    assert str(out) in shlex.split(command)


@pytest.mark.parametrize(
    ("sent", "end", "code", "requeued"),
    [
        (signal.SIGUSR1, None, 143, True),  # its time is nearly up
        (signal.SIGTERM, None, 143, False),  # somebody cancelled it
        (None, "0", 0, False),  # no cell is left
        (None, "2", 2, False),  # something has to be mended
    ],
)
def test_a_job_goes_back_into_the_queue_when_its_time_is_up(
    submit, place, program, monkeypatch, sent, end, code, requeued
):
    (place / "bin" / "python").write_text(LAUNCHER)
    (place / "bin" / "python").chmod(0o755)
    program("scontrol", "")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(place / "bin" / "python"))
        assert submit("--time=60", "--print")[0] == 0
    job = {**os.environ, "SLURM_JOB_ID": "42", "SLURM_ARRAY_JOB_ID": "42", "SLURM_ARRAY_TASK_ID": "3"}
    process = subprocess.Popen(["bash", "out/launchers.sbatch"], env=job, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    if end is not None:
        (place / "END").write_text(end)
    if sent is not None:
        time.sleep(0.1)
        process.send_signal(sent)
    assert process.wait() == code
    called = place / "scontrol.called"
    assert (called.read_text() if called.exists() else "") == ("requeue 42_3\n" if requeued else "")


def test_the_words_of_sbatch_are_told_and_nothing_is_left(submit, place, program):
    program("sbatch", "echo 'sbatch: error: invalid partition specified: gpo' >&2; exit 1")
    code, out, err = submit("--time=60", "--partition=gpo")
    assert (code, out) == (2, "")
    assert err == "llmseg: sbatch refuses it: invalid partition specified: gpo; nothing is submitted\n"
    assert not (place / "out").exists()


def test_without_sbatch_the_advice_can_be_followed(submit, place, monkeypatch):
    monkeypatch.setenv("PATH", str(place / "bin"))
    code, _, err = submit("--time=60")
    assert (code, err.count("\n")) == (2, 1)
    assert "write the script by --print" in err
    assert not (place / "out").exists()
    assert submit("--time=60", "--print")[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds", "sedes", "no key 'sedes'; did you mean 'seeds'"),
        ("tiny.json", "gpt-o4", "gpt-o4"),
        ("cases = 25", "cases = 3", "too few"),
        ("mri-tumour", "mri-tumor", "did you mean 'mri-tumour'"),
    ],
)
def test_nothing_is_submitted_when_the_study_is_wrong(submit, place, program, old, new, words):
    program("sbatch", "echo 7")
    (place / "study.toml").write_text(STUDY.replace(old, new))
    code, _, err = submit("--time=60")
    assert (code, err.count("\n")) == (2, 1)
    assert words in err
    assert not (place / "out").exists()
    assert not (place / "sbatch.called").exists()


def test_a_device_that_no_node_can_have_is_refused(submit, program, place):
    program("sbatch", "echo 7")
    code, _, err = submit("--time=60", "--device=cud")
    assert (code, err) == (2, "llmseg: no device 'cud'; allowed: auto, cpu, cuda or cuda:N\n")
    assert not (place / "sbatch.called").exists()


def test_more_launchers_than_cells_are_refused(submit, program):
    program("sbatch", "echo 7")
    code, _, err = submit("--time=60", "--jobs=3")
    assert (code, err) == (2, "llmseg: 3 jobs, but out has 2 cells left; give --jobs 2 or fewer\n")
    assert submit("--time=60", "--jobs=2")[0] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": "4h"}, "time 4h: give minutes, HOURS:MINUTES:SECONDS or DAYS-HOURS, such as 4:00:00"),
        ({"time": "4:00"}, "time 4:00 is 240 seconds; a launcher needs ten minutes or more"),
        ({"time": "0"}, "time 0 is 0 seconds"),
        ({"time": "1:00:00:00"}, "time 1:00:00:00: give"),
        ({"time": "60", "gpus": "4"}, "a launcher uses one GPU, written 1 or TYPE:1; for 4 of them give --jobs 4"),
        ({"time": "60", "gpus": "a100"}, "a launcher uses one GPU, written 1 or TYPE:1"),
        ({"time": "60", "account": "my lab"}, "account 'my lab': it must be a word"),
        ({"time": "60", "partition": "a\n#SBATCH --x"}, "it must be a word"),
        ({"time": "60", "memory": ""}, "memory '': it must be a word"),
        ({"time": "60", "cpus": 0}, "cpus is 0; it must be 1 or more"),
    ],
)
def test_what_slurm_would_not_understand_is_refused(options, words):
    with pytest.raises(UserError) as caught:
        Allocation(**options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 3600), ("10:30", 630), ("4:00:00", 14400), ("1-12", 129600), ("1-00:30", 88200), ("0-0:10:1", 601)],
)
def test_times_are_read_as_slurm_reads_them(text, seconds):
    assert Allocation(time=text).seconds == seconds
