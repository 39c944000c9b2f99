"""Several processes train as one; processes are started as a user starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from llmseg import Run, train, zoo
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError
from llmseg.recipe.fit import Cosine
from llmseg.training.processes import ALONE, World
from llmseg.zoo.references import AUGMENT

BAND = 1e-3
"""Relative band for epoch losses. The tiny training is short and smooth: only the order of sums differs."""


def start(recipe, out, *options, module=("-m", "llmseg")):
    path = out.parent / "recipe.json"
    path.write_text(recipe.to_json())
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*module, "train", str(path), "--synthetic", "mri-tumour", "--cases", "25", "-q"]
    # Threads of two processes that wait for each other on two cores would take minutes.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*torchrun, *command, "--out", str(out), *options], stderr=subprocess.PIPE, text=True, env=environment
    )


def finish(process):
    errors = process.communicate(timeout=120)[1]
    assert process.returncode == 0, errors


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_two_processes_train_as_one(tiny_recipe, phantoms, tmp_path, norm):
    """Twenty-five cases in batches of 6: neither training, validation nor test divides equally."""
    # The gradient of a bias before a batch norm is rounding alone, and Adam makes steps of full length of it. Training
    # does not notice, but running means lag behind and move the validation loss; with one process, too.
    net = replace(tiny_recipe.net, norm=norm, bias=norm == "none")
    recipe = tiny_recipe.change("net", net).change("fit.batch_size", 6)
    recipe = recipe.change("loss", replace(recipe.loss, dice=1.0, dice_over="batch"))
    # Without the two dashes, torchrun takes --log for an option of its own.
    options = ("--precision", "fp32", "--log", "tensorboard", "--profile")
    finish(start(recipe, tmp_path / "two", *options, module=("-m", "--", "llmseg")))
    two = Run.open(tmp_path / "two")
    assert len(list((two.folder / "tensorboard").iterdir())) == 1
    assert ", in the first of 2 processes" in (two.folder / "profile" / "summary.md").read_text()
    store = SyntheticStore("mri-tumour", count=25)
    one = train(recipe, store, tmp_path / "one", precision="fp32", progress=False)
    for column in ("train_loss", "validation_loss"):
        assert two.history[column].tolist() == pytest.approx(one.history[column].tolist(), rel=BAND)
    assert two.scores["case"].tolist() == one.scores["case"].tolist()
    assert sorted(two.scores["case"]) == sorted(one.split.test)
    assert two.scores["value"].tolist() == pytest.approx(one.scores["value"].tolist(), abs=0.02)
    for name, tensor in two.load_net().state_dict().items():
        expected = one.load_net().state_dict()[name]
        assert torch.allclose(tensor, expected, rtol=0.05, atol=5e-3), name
    assert two.record["how"]["processes"] == 2


@pytest.mark.slow
def test_two_processes_change_images_and_average_weights_as_one(tiny_recipe, tmp_path):
    recipe = tiny_recipe.change("net", replace(tiny_recipe.net, norm="none")).change("fit.batch_size", 6)
    recipe = recipe.change("fit.augment", AUGMENT).change("fit.average", 0.5)
    recipe = recipe.change("fit.schedule", Cosine(warmup=1, final=0.0))
    finish(start(recipe, tmp_path / "two", "--precision", "fp32"))
    two = Run.open(tmp_path / "two")
    store = SyntheticStore("mri-tumour", count=25)
    one = train(recipe, store, tmp_path / "one", precision="fp32", progress=False)
    for column in ("train_loss", "validation_loss"):
        assert two.history[column].tolist() == pytest.approx(one.history[column].tolist(), rel=BAND)
    for name, tensor in two.load_net().state_dict().items():
        assert torch.allclose(tensor, one.load_net().state_dict()[name], rtol=0.05, atol=5e-3), name


@pytest.mark.slow
def test_a_planted_change_leaves_the_band(tiny_recipe, phantoms, tmp_path):
    """The band means something: a tenth more learning rate is outside it."""
    one = train(tiny_recipe, phantoms, tmp_path / "one", precision="fp32", progress=False).history["train_loss"]
    rate = tiny_recipe.fit.rate * 1.1
    other = train(tiny_recipe.change("fit.rate", rate), phantoms, tmp_path / "other", precision="fp32", progress=False)
    assert other.history["train_loss"].tolist() != pytest.approx(one.tolist(), rel=BAND)


@pytest.mark.slow
def test_a_run_of_two_processes_goes_on_after_a_notice(content, tiny_recipe, tmp_path):
    recipe = tiny_recipe.change("fit.epochs", 15)
    options = ("--checkpoint-every", "3600", "--precision", "bf16")
    finish(start(recipe, tmp_path / "whole", *options))
    process = start(recipe, tmp_path / "run", *options)
    while not (tmp_path / "run" / "history.csv").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert (tmp_path / "run" / "checkpoint" / "state.pt").is_file()
    finish(start(recipe, tmp_path / "run", *options))
    assert content(tmp_path / "run") == content(tmp_path / "whole")


@pytest.mark.slow
def test_a_mistake_is_reported_once(tiny_recipe, tmp_path):
    process = start(tiny_recipe.change("fit.batch_size", 3), tmp_path / "run")
    errors = process.communicate(timeout=120)[1]
    lines = [line for line in errors.splitlines() if line.startswith("llmseg:")]
    assert lines == ["llmseg: 2 processes cannot share a batch of 3; start one of 1, 3"]
    assert not (tmp_path / "run").exists()


def test_alone_nothing_is_shared():
    def forward(image):
        return image

    net = torch.nn.Conv2d(1, 1, 1)
    assert ALONE.wrap(net) is net
    assert ALONE.share(forward) is forward
    assert ALONE.any(True)
    assert not ALONE.any(False)
    ALONE.check(7)


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(UserError, match="4 processes cannot share a batch of 6; start one of 1, 2, 3, 6"):
        World(0, 4).check(6)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-7), (torch.bfloat16, 1e-5)])
def test_batch_statistics_of_one_process_are_those_of_torch(monkeypatch, dtype, near):
    """Alone, the mean over all processes is the process's own."""
    from llmseg.training import processes as world

    monkeypatch.setattr(world, "_average", lambda values: values)
    monkeypatch.setattr(world.dist, "get_world_size", lambda: 1)
    torch.manual_seed(0)
    x = torch.rand(3, 4, 5, 6).to(dtype).requires_grad_()
    plain, shared = torch.nn.BatchNorm2d(4), world.SharedBatchNorm(4)
    weight = torch.rand(4)
    with torch.no_grad():
        plain.weight.copy_(weight)
        shared.weight.copy_(weight)
    target = torch.rand(3, 4, 5, 6).to(dtype)
    outputs = [module(x) for module in (plain, shared)]
    assert [output.dtype for output in outputs] == [dtype, dtype]
    gradients = [torch.autograd.grad(functional.mse_loss(output, target), x)[0] for output in outputs]
    assert torch.allclose(*gradients, atol=near)
    for name, expected in plain.state_dict().items():
        assert torch.allclose(shared.state_dict()[name], expected, atol=1e-6), name
    assert torch.allclose(shared.eval()(x), plain.eval()(x), atol=1e-6)


@pytest.mark.parametrize("id", zoo.names(in_study=None))
def test_every_weight_takes_part(id):
    """Processes wait for the gradient of every weight; one that has none would let them wait forever."""
    recipe = zoo.get(id).recipe
    with torch.device("meta"):  # shapes only, which is quick
        net = recipe.net.build(recipe.images.channels)
        net(torch.rand(2, recipe.images.channels, 64, 64)).sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []
