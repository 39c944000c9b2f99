from __future__ import annotations

import pytest
import torch

from llmseg.training import Beginning, End, Epoch, Profile, Profiler, Step
from llmseg.training.observing.page import write_page
from llmseg.training.observing.profiler import choose_steps

RECORD = {
    "label": "gpt-4",
    "recipe": {"fit": {"epochs": 3, "batch_size": 8}},
    "how": {"device": "cpu", "precision": "fp32", "processes": 1},
    "hardware": {"cpu_capability": "AVX2", "threads": 2},
}


def follow(observers, folder, *, per_epoch=4, done=0, until=None):
    """Tell observers of a training of three epochs in which steps add and validations multiply."""
    epochs = RECORD["recipe"]["fit"]["epochs"]
    tell = [observer.on_event for observer in observers]

    def pass_on(event):
        for one in tell:
            one(event)

    pass_on(Beginning(folder, RECORD, done, per_epoch * epochs))
    for index in range(done, per_epoch * epochs):
        if index == until:
            return pass_on(End("stopped", "by a test"))
        pass_on(Step(index // per_epoch, index, ("a",), torch.ones(2) + torch.ones(2)))
        if (index + 1) % per_epoch == 0:
            torch.ones(2) * torch.ones(2)
            pass_on(Epoch(index // per_epoch, 0.5, 0.5, (0.5,), 1e-3, 1.0))
    return pass_on(End("done"))


@pytest.mark.parametrize(("per_epoch", "done", "steps"), [(4, 0, 4), (40, 0, 20), (4, 9, 2), (4, 5, 4), (1, 0, 1)])
def test_steps_of_one_epoch_are_recorded(per_epoch, done, steps, tmp_path):
    profiler = Profiler()
    follow([profiler], tmp_path, per_epoch=per_epoch, done=done)
    profile = Profile.read(tmp_path / "profile" / "trace.json.gz")
    assert profile.steps == steps
    # The sum of a step is computed before it is told. No validation is among them.
    assert "aten::add" in profile.names
    assert "aten::mul" not in profile.names
    assert f"- Measured: {steps} training steps, " in profiler.page.read_text()


def test_a_page_that_was_there_is_replaced(tmp_path):
    for wanted in (2, 3):
        profiler = Profiler(steps=wanted)
        follow([profiler], tmp_path)
    assert "- Measured: 3 training steps, 6 to 8 of 12, of 8 cases each." in profiler.page.read_text()
    assert sorted(path.name for path in profiler.page.parent.iterdir()) == ["summary.md", "trace.json.gz"]


@pytest.mark.parametrize(
    ("done", "until", "reason"),
    [
        (11, None, "it records from the second step on, and the training has no second step left"),
        (12, None, "it records from the second step on, and the training has no second step left"),
        (0, 2, "the training ended before the steps to record were over; the same command records again"),
        (0, 6, "the training ended before the steps to record were over; the same command records again"),
    ],
)
def test_the_reason_why_nothing_was_recorded(done, until, reason, tmp_path):
    profiler = Profiler()
    follow([profiler], tmp_path, done=done, until=until)
    assert (profiler.page, profiler.reason) == (None, reason)
    assert not (tmp_path / "profile").exists()
    # The profiler of torch is free again.
    follow([again := Profiler()], tmp_path)
    assert again.page is not None


@pytest.mark.parametrize("per_epoch", [1, 2, 3, 5, 8, 40])
def test_recorded_steps_lie_in_one_epoch_and_are_not_the_first(per_epoch):
    for total, done in ((epochs * per_epoch, done) for epochs in range(1, 30) for done in range(50)):
        steps = choose_steps(done, total, per_epoch, 20)
        if total - done < 2:
            assert not steps
            continue
        assert done < steps.start < steps.stop <= total
        assert len(steps) <= 20
        assert steps.start // per_epoch == (steps.stop - 1) // per_epoch
        assert len(steps) == min(20, per_epoch) or steps.stop == total or total - done < 2 * per_epoch


def test_the_page_says_what_was_measured(tmp_path):
    shares = {"convolution": 0.5, "normalisation": 0.2, "optimizer": 0.1, "data": 0.05, "other": 0.1, "waiting": 0.05}
    beginning = Beginning(tmp_path, RECORD, 0, 400)
    names = {"aten::convolution_backward": 0.4, "void conv|" + "x" * 300: 0.1}
    page = write_page(Profile("cpu", 20, 2.0, shares, names), beginning, range(5, 25))
    assert page.startswith("# What a training step of gpt-4 spends its time on\n")
    assert "- Measured: 20 training steps, 6 to 25 of 400, of 8 cases each." in page
    assert "- Device: cpu (AVX2, 2 threads), in fp32." in page
    assert "- Time: 2 s, 100 ms per step." in page
    assert "| convolution | 50.0% | 50 | convolutions and transposed" in page
    assert "| normalisation | 20.0% | 20 | batch norm and its kin" in page
    assert "| aten::convolution_backward | 40.0% | 40 |" in page
    assert f"| void conv/{'x' * 69}… | 10.0% | 10 |" in page

    record = RECORD | {"how": RECORD["how"] | {"processes": 2}}
    page = write_page(Profile("NVIDIA H100", 20, 2.0, shares, names), Beginning(tmp_path, record, 0, 400), range(5, 25))
    assert "- Device: NVIDIA H100, in fp32, in the first of 2 processes." in page
    assert "the GPU computed nothing" in page
