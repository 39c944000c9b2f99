"""An interrupted run must end as an uninterrupted one, byte for byte."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from llmseg import Run, Terminated, UserError, train
from llmseg.files import write_bytes
from llmseg.recipe.fit import Cosine, OwnSeed, Plateau
from llmseg.recipe.losses import BCEDice
from llmseg.training.resume import read_status
from llmseg.training.run_files import RunWriter
from llmseg.zoo.references import AUGMENT


@pytest.fixture(scope="module")
def recipe(tiny_recipe):
    """Everything that has a state: dropout, schedule, kept weights, running statistics."""
    for path, value in (
        ("net.dropout", 0.2),
        ("fit.rate", 0.1),
        ("fit.schedule", Plateau(factor=0.5, patience=0)),
        ("fit.keep", "lowest-validation-loss"),
        ("fit.epochs", 3),
    ):
        tiny_recipe = tiny_recipe.change(path, value)
    return tiny_recipe


class Killed(BaseException):
    """Ends a training where it stands, as SIGKILL would, but inside this process."""


def kill_after(monkeypatch, events):
    """Let the writer die after so many events; it stores at every step and epoch before that."""
    take, seen = RunWriter.take, []

    def dying(self, event):
        if len(seen) == events:
            raise Killed
        seen.append(event)
        take(self, event)

    monkeypatch.setattr(RunWriter, "take", dying)


def train_and_die(events, recipe, store, folder, **options):
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, events)
        with pytest.raises(Killed):
            train(recipe, store, folder, progress=False, **options)


EVENTS = 3 * (5 + 1 + 1) + 1
"""Three epochs of five steps, a validation batch and an end; one test batch."""


@pytest.mark.parametrize(
    "moments",
    [(3, 7, 20), pytest.param(range(EVENTS), marks=pytest.mark.slow)],
    ids=["at some events", "at any event"],
)
@pytest.mark.parametrize(
    "own_seed", [None, OwnSeed(seed=5, summary_batch=2, spare_orders=1)], ids=["per-epoch", "one-stream"]
)
def test_killed(content, recipe, phantoms, tmp_path, own_seed, moments):
    recipe = recipe.change("fit.own_seed", own_seed)
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    for moment in moments:
        folder = tmp_path / str(moment)
        train_and_die(moment, recipe, phantoms, folder, checkpoint_every=0)
        assert content(train(recipe, phantoms, folder, progress=False).folder) == whole, f"killed after {moment} events"
        assert not (folder / "checkpoint").exists()


@pytest.mark.parametrize(
    ("keep", "moments"),
    [
        ("last", (3, 7)),
        ("lowest-validation-loss", (7, 8)),
        pytest.param("last", range(EVENTS), marks=pytest.mark.thorough),
    ],
    ids=["last", "lowest", "at any event"],
)
def test_killed_with_all_that_references_need(content, recipe, phantoms, tmp_path, keep, moments, recwarn):
    """Changed images, a cosine and averaged weights."""
    for path, value in (
        ("fit.schedule", Cosine(warmup=1, final=0.1)),
        ("fit.average", 0.9),
        ("fit.augment", AUGMENT),
        ("fit.keep", keep),
    ):
        recipe = recipe.change(path, value)
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    for moment in moments:
        folder = tmp_path / str(moment)
        train_and_die(moment, recipe, phantoms, folder, checkpoint_every=0)
        assert content(train(recipe, phantoms, folder, progress=False).folder) == whole, f"killed after {moment} events"
    assert [str(w.message) for w in recwarn if "lr_scheduler" in str(w.message)] == []


def test_killed_with_fixed_batches_and_the_steps_of_keras(content, recipe, phantoms, tmp_path):
    """The shuffle buffer is drawn again, and Adam's epsilon depends on the steps taken."""
    for path, value in (("fit.fixed_batches", 3), ("fit.optimizer", "keras-adam"), ("fit.epochs", 2)):
        recipe = recipe.change(path, value)
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    for moment in (2, 9):
        folder = tmp_path / str(moment)
        train_and_die(moment, recipe, phantoms, folder, checkpoint_every=0)
        assert content(train(recipe, phantoms, folder, progress=False).folder) == whole


def test_killed_again_and_again(content, recipe, phantoms, tmp_path):
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    tries = 0
    while True:
        tries += 1
        with pytest.MonkeyPatch.context() as patch:
            kill_after(patch, 4)
            try:
                run = train(recipe, phantoms, tmp_path / "run", progress=False, checkpoint_every=0)
                break
            except Killed:
                continue
    assert tries > 3
    assert content(run.folder) == whole


def test_a_file_that_was_being_written_leaves_no_trace(content, recipe, phantoms, tmp_path, monkeypatch):
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    folder = tmp_path / "run"
    train_and_die(9, recipe, phantoms, folder, checkpoint_every=0)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # a process that is killed does not clean up
        patch.setattr(Path, "replace", lambda *_: 1 / 0)
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        patch.setattr(os, "getpid", lambda: ended.pid)
        for path in (folder / "history.csv", folder / "checkpoint" / "state.pt"):
            with pytest.raises(ZeroDivisionError):
                write_bytes(path, b"half a file")
    assert len(list(folder.rglob(".*-*"))) == 2
    assert content(train(recipe, phantoms, folder, progress=False).folder) == whole


def test_a_full_disk_loses_no_earlier_checkpoint(content, recipe, phantoms, tmp_path, monkeypatch):
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    folder, calls, fsync = tmp_path / "run", [], os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) > 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device; what was there before is kept"):
        train(recipe, phantoms, folder, progress=False, checkpoint_every=0)
    assert (folder / "checkpoint" / "state.pt").is_file()
    assert list(folder.rglob(".*.part")) == [], "half a file is left"
    monkeypatch.undo()
    assert content(train(recipe, phantoms, folder, progress=False).folder) == whole


def test_a_second_process_is_refused(recipe, phantoms, tmp_path):
    folder = tmp_path / "run"
    train_and_die(1, recipe, phantoms, folder)
    with FileLock(folder / ".lock"), pytest.raises(UserError, match="another process is working on"):
        train(recipe, phantoms, folder, progress=False)


def test_an_unfinished_run_is_not_continued_as_another(recipe, phantoms, tmp_path):
    folder = tmp_path / "run"
    train_and_die(3, recipe, phantoms, folder, checkpoint_every=0)
    stored = (folder / "checkpoint" / "state.pt").read_bytes()
    with pytest.raises(UserError, match=r"another recipe \(fit\.rate is 0\.1 there and 0\.2 here\)"):
        train(recipe.change("fit.rate", 0.2), phantoms, folder, progress=False)
    with pytest.raises(UserError, match="with another seed"):
        train(recipe, phantoms, folder, seed=1, progress=False)
    with pytest.raises(UserError, match="with another set of cases"):
        train(recipe, type(phantoms)("mri-tumour", count=24), folder, progress=False)
    assert (folder / "checkpoint" / "state.pt").read_bytes() == stored


def test_another_split_is_not_continued(recipe, phantoms, tmp_path, monkeypatch):
    """As if another version of the library that draws it had been installed in between."""
    folder = tmp_path / "run"
    train_and_die(3, recipe, phantoms, folder, checkpoint_every=0)
    monkeypatch.setattr("sklearn.model_selection.train_test_split", lambda ids, **_: (ids[::2], ids[1::2]))
    with pytest.raises(UserError, match=r"begun with another split; use the versions its run\.json names"):
        train(recipe, phantoms, folder, progress=False)


@pytest.fixture
def command(recipe, tmp_path, monkeypatch):
    """The command line of a training that takes some seconds, without its run folder."""
    # Threads that wait for each other on a busy machine would make minutes of the seconds.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "recipe.json"
    path.write_text(recipe.change("fit.epochs", 20).to_json())
    options = ("--synthetic", "mri-tumour", "--cases", "25", "--checkpoint-every", "0", "-q", "--out")
    return [sys.executable, "-m", "llmseg", "train", str(path), *options]


@pytest.mark.slow
def test_killed_by_the_system_at_twenty_random_moments(content, command, tmp_path, monkeypatch):
    """Ten times while the cache is built, then in training, validation, test and checkpoints, until the run is done."""
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    seconds = Run.open(tmp_path / "whole").record["seconds"]
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    moments, folder, killed = random.Random(0), tmp_path / "run", 0
    while killed < 10:
        process = subprocess.Popen([*command, str(folder)])
        wait_for(process, lambda: list((tmp_path / "cache").glob(".*.part")))
        killed += kill_after_seconds(process, moments.uniform(0, 0.5))
        assert list((tmp_path / "cache").glob("*.h5")) == []
    record = folder / "run.json"
    while not record.exists() or '"done"' not in record.read_text():
        process, before = subprocess.Popen([*command, str(folder)]), written(record)
        # Starting takes as long as the machine is busy; what counts is from where training begins.
        wait_for(process, lambda before=before: written(record) != before)
        killed += kill_after_seconds(process, moments.uniform(0, seconds / 8))
        assert killed < 200, "no progress between the kills"
    assert killed >= 20
    assert content(Run.open(folder).folder) == content(tmp_path / "whole")


def wait_for(process, happened):
    """Wait until something has happened, or the process has ended."""
    while process.poll() is None and not happened():
        time.sleep(0.01)


def kill_after_seconds(process, seconds):
    """Kill a process unless it ends before; return whether it was killed."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def written(path):
    """Return when a file was last written, ``None`` if it never was."""
    return path.stat().st_mtime_ns if path.exists() else None


@pytest.mark.slow
def test_the_notice_of_a_scheduler(content, command, tmp_path):
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    folder = tmp_path / "run"
    slowly = [*command[:-2], "--checkpoint-every", "3600", "-q", "--out", str(folder)]
    process = subprocess.Popen(slowly, stderr=subprocess.PIPE, text=True)
    while not (folder / "history.csv").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert errors.count("\n") == 1
    assert "the same command continues" in errors
    assert (folder / "checkpoint" / "state.pt").is_file()
    subprocess.run(slowly, check=True)
    assert content(folder) == content(tmp_path / "whole")


def test_a_loss_that_is_no_number_leaves_the_last_good_weights(recipe, phantoms, tmp_path, monkeypatch):
    shorter = train(recipe.change("fit.epochs", 1).change("fit.keep", "last"), phantoms, tmp_path / "1", progress=False)
    real, steps = BCEDice.__call__, []

    def breaking(self, output, mask, validating=False):
        steps.append(None)
        # One trial, five steps, a validation batch: this is the second epoch.
        return real(self, output, mask, validating) * (float("nan") if len(steps) > 10 else 1)

    monkeypatch.setattr(BCEDice, "__call__", breaking)
    with pytest.raises(UserError, match=r"epoch 2 is not a number.*the last good weights are in .*last_good_weights"):
        train(recipe, phantoms, tmp_path / "run", progress=False)
    saved = load_file(tmp_path / "run" / "last_good_weights.safetensors")
    for name, tensor in shorter.load_net().state_dict().items():
        assert torch.equal(saved[name], tensor), name
    assert read_status(tmp_path / "run") == "running"


@pytest.mark.parametrize(
    "signum",
    [signal.SIGTERM, *(pytest.param(other, marks=pytest.mark.slow) for other in (signal.SIGINT, signal.SIGHUP))],
)
@pytest.mark.usefixtures("notes_printed")
def test_a_signal_saves_a_checkpoint_and_the_next_call_says_where_it_continues(
    content, recipe, phantoms, tmp_path, signum, monkeypatch, capsys
):
    whole = content(train(recipe, phantoms, tmp_path / "whole", progress=False).folder)
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        real, taken = RunWriter.take, []

        def take(self, event):
            real(self, event)
            taken.append(event)
            if len(taken) == 9:  # five steps, a validation batch, an epoch, two steps
                os.kill(os.getpid(), signum)

        patch.setattr(RunWriter, "take", take)
        with pytest.raises(Terminated, match=r"after step 7 of 15; the same command continues") as stop:
            train(recipe, phantoms, folder, progress=False)
    assert stop.value.signum == signum
    capsys.readouterr()
    assert content(train(recipe, phantoms, folder, progress=False).folder) == whole
    assert capsys.readouterr().err == f"llmseg: {folder} continues at step 8 of 15, epoch 2\n"
