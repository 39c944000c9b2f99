"""The trainer's own arithmetic, on a base class that only counts; nnU-Net itself is in test_run.py."""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from llmseg.nnunet import launch

NAME = "nnunetv2.training.nnUNetTrainer.nnUNetTrainer"


class Counting:
    """Takes steps of one second each."""

    def __init__(self, plans, configuration, fold, dataset_json, device):
        self.current_epoch, self.seconds, self.steps, self.drawn = 0, 0.0, [], []
        self.noted = {"epoch_start_timestamps": [], "epoch_end_timestamps": []}
        self.logger = SimpleNamespace(get_value=lambda name, step: self.noted[name])
        self.dataloader_train = self.dataloader_val = itertools.repeat(None)
        self.drawn.append(float(np.random.random()))

    def on_epoch_start(self):
        self.noted["epoch_start_timestamps"].append(self.seconds)

    def on_train_epoch_start(self):
        self.steps.append([0, 0])
        self.drawn.append(float(np.random.random()))

    def train_step(self, batch):
        self.steps[-1][0] += 1
        self.seconds += 1

    def validation_step(self, batch):
        self.steps[-1][1] += 1

    def on_epoch_end(self):
        self.seconds += 0.5
        self.noted["epoch_end_timestamps"].append(self.seconds)
        self.current_epoch += 1

    def on_train_start(self, *_):
        pass

    on_train_end = on_train_epoch_end = on_validation_epoch_start = on_validation_epoch_end = on_train_start

    def save_checkpoint(self, filename):
        Path(filename).write_text(f"after epoch {self.current_epoch}")


@pytest.fixture
def make_trainer(tmp_path, monkeypatch):
    def make(**budget):
        module = ModuleType(NAME)
        module.nnUNetTrainer = Counting
        for name in (NAME.rsplit(".", depth)[0] for depth in range(1, 4)):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, NAME, module)
        spec = importlib.util.spec_from_file_location("trainer", launch._TRAINERS / "llmseg_trainer.py")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        (tmp_path / "budget.json").write_text(json.dumps({"iterations": None, "seconds": None, "seed": 0, **budget}))
        monkeypatch.setenv("LLMSEG_NNUNET_BUDGET", str(tmp_path / "budget.json"))
        trainer = loaded.LlmsegTrainer({}, "2d", 0, {})
        loaded.time = SimpleNamespace(time=lambda: trainer.seconds)
        return trainer

    return make


def test_iterations_are_divided_evenly_and_validation_gets_a_fifth(make_trainer):
    trainer = make_trainer(epochs=3, iterations=32)
    trainer.run_training()
    assert trainer.steps == [[10, 2], [11, 2], [11, 2]]
    assert trainer.num_epochs == 3


def test_seconds_are_divided_evenly(make_trainer):
    trainer = make_trainer(epochs=4, seconds=20.0)
    trainer.run_training()
    # Validation takes half a second, and an epoch ends with the step that reaches its share: after 5, 10, 15, 20.
    assert [steps for steps, _ in trainer.steps] == [5, 5, 4, 5]
    assert trainer.seconds == 21.0


def test_a_training_that_goes_on_counts_the_time_before(make_trainer):
    whole, rest = make_trainer(epochs=4, seconds=20.0), make_trainer(epochs=4, seconds=20.0)
    whole.run_training()
    rest.current_epoch, rest.seconds = 2, 1000.0
    rest.noted = {name: values[:2] for name, values in whole.noted.items()}
    rest.run_training()
    assert [steps for steps, _ in rest.steps] == [steps for steps, _ in whole.steps][2:]


def test_every_epoch_has_a_seed_of_its_own(make_trainer):
    whole, rest, other = (make_trainer(epochs=3, iterations=3, seed=seed) for seed in (0, 0, 1))
    rest.current_epoch = 1
    for trainer in (whole, rest, other):
        trainer.run_training()
    assert rest.drawn == [whole.drawn[0], *whole.drawn[2:]]
    assert len(set(whole.drawn) | set(other.drawn)) == 8


def test_a_checkpoint_appears_as_a_whole(make_trainer, tmp_path):
    trainer = make_trainer(epochs=1, iterations=1)
    trainer.save_checkpoint(str(tmp_path / "checkpoint_latest.pth"))
    assert [path.name for path in tmp_path.glob("checkpoint*")] == ["checkpoint_latest.pth"]
