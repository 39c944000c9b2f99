from __future__ import annotations

import configparser
import math
import platform
import sys
from pathlib import Path

import pytest
import torch

from llmseg import UserError
from llmseg.training import Beginning, End, Epoch, EvaluatedBatch, Step, TensorBoardLog

accumulators = pytest.importorskip("tensorboard.backend.event_processing.plugin_event_accumulator")

RECORD = {"recipe": {"fit": {"epochs": 2}}}


def loss(index):
    return torch.tensor(1 / (1 + index))


def log(folder, *, begin=0, end=8):
    """Log steps of a training of two epochs of four steps; the epochs end with it if it does."""
    tell = TensorBoardLog().on_event
    tell(Beginning(folder, RECORD, begin, 8))
    for index in range(begin, end):
        tell(Step(index // 4, index, ("a",), loss(index)))
        if index % 4 == 3:
            epoch = index // 4
            tell(Epoch(epoch, 0.5 - epoch / 4, 0.25, (0.5, 1.0), 1e-3 / (1 + epoch), 1.0))
    if end == 8:
        for case in (0.5, 1.0):
            output = torch.zeros(1, 1, 2, 2)
            tell(EvaluatedBatch("test", ("a",), output, loss(0), torch.tensor([case]), torch.tensor([case])))
        tell(End("done"))


def read(folder):
    """Return what TensorBoard shows: ``{tag: [(step, value)]}``."""
    accumulator = accumulators.EventAccumulator(str(folder / "tensorboard"), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        tag: [(event.step, event.tensor_proto.float_val[0]) for event in accumulator.Tensors(tag)]
        for tag in accumulator.Tags()["tensors"]
    }


WHOLE = {
    "loss/step": [(index + 1, pytest.approx(1 / (1 + index))) for index in range(8)],
    "loss/train": [(4, 0.5), (8, 0.25)],
    "loss/validation": [(4, 0.25), (8, 0.25)],
    "score/validation": [(4, 0.75), (8, 0.75)],
    "rate": [(4, pytest.approx(1e-3)), (8, pytest.approx(5e-4))],
    "score/test": [(8, 0.75)],
}


def test_what_tensorboard_shows(tmp_path):
    log(tmp_path)
    assert read(tmp_path) == WHOLE


@pytest.mark.parametrize("stored", [0, 2, 4, 6])
def test_a_run_that_was_killed_goes_on_without_a_gap_and_without_a_step_twice(stored, tmp_path):
    log(tmp_path, end=6)
    (path,) = (tmp_path / "tensorboard").iterdir()
    path.write_bytes(path.read_bytes() + b"half a record")
    log(tmp_path, begin=stored)
    assert read(tmp_path) == WHOLE
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2


def test_a_run_that_is_interrupted_has_no_test(tmp_path):
    tell = TensorBoardLog().on_event
    tell(Beginning(tmp_path, RECORD, 8, 8))
    tell(EvaluatedBatch("test", ("a",), torch.zeros(1, 1, 2, 2), loss(0), torch.ones(1), torch.ones(1)))
    tell(End("stopped", "by a test"))
    assert read(tmp_path) == {}


def test_a_loss_that_is_no_number_is_logged(tmp_path):
    tell = TensorBoardLog().on_event
    tell(Beginning(tmp_path, RECORD, 0, 8))
    tell(Step(0, 0, ("a",), torch.tensor(math.nan)))
    tell(End("failed", "the loss is not a number"))
    assert math.isnan(read(tmp_path)["loss/step"][0][1])


def test_a_log_names_no_host_and_no_place(tmp_path):
    log(tmp_path)
    (path,) = (tmp_path / "tensorboard").iterdir()
    text = path.name.encode() + path.read_bytes()
    assert [word for word in (platform.node(), str(tmp_path), str(Path.home())) if word.encode() in text] == []


def test_a_missing_package_is_one_line_and_its_advice_is_right(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    with pytest.raises(UserError, match=r"needs the package tensorboard: pip install 'llmseg\[tracking\]'"):
        TensorBoardLog()
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[3] / "setup.cfg")
    assert setup["options.extras_require"]["tracking"].split() == ["tensorboard"]


class OnGpu(torch.Tensor):
    """A loss that says it is on a GPU, so that reading it would wait."""

    device = property(lambda _: torch.device("cuda"))


def test_losses_on_a_gpu_are_read_when_the_epoch_ends(tmp_path):
    tell = TensorBoardLog().on_event
    tell(Beginning(tmp_path, RECORD, 0, 8))
    for index in range(3):
        tell(Step(0, index, ("a",), loss(index).as_subclass(OnGpu)))
    assert read(tmp_path) == {}
    tell(Epoch(0, 0.5, 0.25, (0.5,), 1e-3, 1.0))
    assert read(tmp_path)["loss/step"] == WHOLE["loss/step"][:3]
