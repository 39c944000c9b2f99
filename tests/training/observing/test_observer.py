from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
from dataclasses import replace

import pytest
import torch

from llmseg import SyntheticStore, Terminated, UserError, replay, train, zoo
from llmseg.recipe.fit import OwnSeed
from llmseg.training import Beginning, End, Epoch, EvaluatedBatch, Step
from llmseg.training.observing.observer import check_observers, observe


class Notes:
    """Keeps everything that it is told."""

    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)

    def all(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


class Meddler:
    """Changes everything that it can reach."""

    def on_event(self, event):
        torch.manual_seed(1)
        torch.rand(3)
        random.seed(1)
        if isinstance(event, Beginning):
            event.record["recipe"].clear()
            event.record["label"] = "changed"
        if isinstance(event, Step | EvaluatedBatch):
            event.loss.fill_(float("nan"))
        if isinstance(event, EvaluatedBatch):
            for tensor in (event.output, event.listed, event.cases):
                tensor.fill_(float("nan"))


class Broken:
    """Raises an error at the third step."""

    def __init__(self):
        self.told = 0

    def on_event(self, event):
        self.told += 1
        if isinstance(event, Step) and event.index == 2:
            raise ConnectionError("no route\nto host")


class LossFile:
    """Appends the loss of every step to a file, and can kill its process."""

    def __init__(self, path, kill_at=None):
        self.path, self.kill_at = path, kill_at

    def on_event(self, event):
        line = None
        if isinstance(event, Beginning | End):
            line = {"what": type(event).__name__, "step": getattr(event, "step", None)}
        elif isinstance(event, Step):
            line = {"what": "Step", "step": event.index, "loss": event.loss.item()}
        if line is not None:
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\n")
        if isinstance(event, Step) and event.index == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def lines(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.mark.usefixtures("notes_printed")
def test_a_run_has_the_same_bytes_whatever_its_observers_do(content, run, tiny_recipe, phantoms, tmp_path, capfd):
    notes, broken = Notes(), Broken()
    watchers = [Meddler(), broken, notes]
    watched = train(tiny_recipe, phantoms, tmp_path / "run", label="tiny", seed=1, progress=False, observers=watchers)
    assert content(watched.folder) == content(run.folder)
    assert (watched.record["label"], watched.record["recipe"]) == ("tiny", run.record["recipe"])

    begins, *events, end = notes.events
    assert (begins.folder, begins.step, begins.steps, begins.epochs) == (watched.folder, 0, 10, 2)
    assert begins.record["recipe_digest"] == run.record["recipe_digest"]
    assert end == End("done")
    epoch = [*[Step] * 5, EvaluatedBatch, Epoch]
    assert [type(event) for event in events] == [*epoch, *epoch, EvaluatedBatch]
    assert [event.index for event in notes.all(Step)] == list(range(10))
    assert [event.validation_loss for event in notes.all(Epoch)] == list(run.history["validation_loss"])

    assert broken.told == 1 + 3
    line = "llmseg: warning: the observer Broken raised ConnectionError: no route\\nto host (test_observer.py, line "
    (told,) = [text for text in capfd.readouterr().err.splitlines() if text.startswith(line)]
    assert told.endswith("); it is told nothing more, and the training goes on")


def test_without_observers_nothing_is_asked_for():
    with observe((), lambda: pytest.fail("a beginning was made for nobody"), torch.device("cpu")) as tell:
        tell(Epoch(0, 0.5, 0.5, (0.5,), 1e-3, 1.0))


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (UserError("the loss is infinite"), End("failed", "the loss is infinite")),
        (Terminated("stopped by SIGTERM"), End("stopped", "stopped by SIGTERM")),
        (KeyboardInterrupt(), End("stopped", "KeyboardInterrupt")),
    ],
)
def test_observers_are_told_how_a_training_ended(error, end, tmp_path):
    notes = Notes()
    begin = Beginning(tmp_path, {}, 0, 1)
    with pytest.raises(type(error)), observe([notes], lambda: begin, torch.device("cpu")):
        raise error
    assert notes.events == [begin, end]


def test_one_observer_may_be_given_alone():
    notes = Notes()
    assert check_observers(notes) == (notes,)
    assert check_observers(iter([notes])) == (notes,)


class Async:
    async def on_event(self, event):
        """Is never waited for."""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Notes], r"the observer Notes is a class; give an object of it: Notes\(\)"),
        (Notes, r"the observer Notes is a class; give an object of it: Notes\(\)"),
        ([print], r"an object with a method on_event\(event\), and this builtin_function_or_method has none"),
        (print, r"an object with a method on_event\(event\), and this builtin_function_or_method has none"),
        ("tensorboard", r"an object with a method on_event\(event\), and this str has none"),
        (Async(), "on_event of the observer Async is async"),
    ],
)
def test_what_cannot_observe_is_refused_before_anything_is_made(given, message, tiny_recipe, phantoms, tmp_path):
    with pytest.raises(UserError, match=message):
        train(tiny_recipe, phantoms, tmp_path / "run", progress=False, observers=given)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_tells_nothing(run, tiny_recipe, phantoms):
    notes = Notes()
    train(tiny_recipe, phantoms, run.folder, label="tiny", seed=1, progress=False, observers=notes)
    assert notes.events == []


def train_in_threads(threads, *args, **options):
    torch.set_num_threads(threads)  # their number decides the last bit
    train(*args, **options)


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint_every", [0, 1000])
def test_an_observer_sees_a_killed_run_continue(checkpoint_every, content, tiny_recipe, phantoms, tmp_path):
    folder, log = tmp_path / "run", tmp_path / "log.jsonl"
    options = {"label": "tiny", "seed": 1, "progress": False, "checkpoint_every": checkpoint_every}
    # A new process and not a forked one: that would share the threads of whatever was computed before.
    process = multiprocessing.get_context("spawn").Process(
        target=train_in_threads,
        args=(torch.get_num_threads(), tiny_recipe, SyntheticStore("mri-tumour", count=len(phantoms.ids)), folder),
        kwargs={"observers": LossFile(log, kill_at=6), **options},
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    first = LossFile(log).lines()
    assert [line["step"] for line in first] == [0, *range(7)]

    resumed = train(tiny_recipe, phantoms, folder, observers=LossFile(log), **options)
    whole = train(tiny_recipe, phantoms, tmp_path / "whole", **options)
    assert content(resumed.folder) == content(whole.folder)
    begins, *steps, end = LossFile(log).lines()[len(first) :]
    stored = 7 if checkpoint_every == 0 else 0
    assert (begins["what"], begins["step"], end["what"]) == ("Beginning", stored, "End")
    assert [line["step"] for line in steps] == list(range(stored, 10))
    # A step that is told again has the same loss.
    assert len({(line["step"], line["loss"]) for line in (*first[1:], *steps)}) == 10


@pytest.mark.slow
def test_a_replay_with_one_stream_of_random_numbers_has_the_same_bytes(content, phantoms, tiny, tmp_path):
    """Case order and dropout follow from all numbers that were drawn before."""
    recipe = zoo.get(tiny).recipe.change("fit.own_seed", OwnSeed(seed=5, summary_batch=2, spare_orders=1))
    recipe = recipe.change("net.dropout", 0.5).change("fit.epochs", 2)
    zoo.register(replace(zoo.get(tiny), id="tiny-stream", recipe=recipe))
    alone, watched = (
        replay("tiny-stream", phantoms, tmp_path / name, progress=False, observers=observers)
        for name, observers in (("alone", ()), ("watched", Meddler()))
    )
    for run in (alone, watched):
        shutil.rmtree(run.folder / "replay")
    assert content(watched.folder) == content(alone.folder)


@pytest.mark.slow
def test_events_follow_the_files_of_the_run(tiny_recipe, phantoms, tmp_path):
    """At an epoch, history.csv has it already; at the end, the run is done."""
    rows = []

    class Reader:
        def on_event(self, event):
            if isinstance(event, Epoch | End):
                rows.append((folder / "history.csv").read_text().count("\n") - 1)
            if isinstance(event, End):
                rows.append(json.loads((folder / "run.json").read_text())["status"])

    folder = tmp_path / "run"
    train(tiny_recipe, phantoms, folder, progress=False, observers=Reader())
    assert rows == [1, 2, 2, "done"]
