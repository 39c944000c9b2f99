"""Kernels are chosen by their speed, once per computer, and a run keeps those it was begun with."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from llmseg import UserError, train
from llmseg.data.cache import cache_folder, clear_cache
from llmseg.training import checkpoint, kernel_choice
from llmseg.training.kernel_choice import Speeds, choose_inference_kernels, choose_kernels
from llmseg.training.kernels import Layer, has_kernels
from llmseg.training.numerics import EXACT_NUMERICS, SCRIPT_NUMERICS, choose_numerics
from tests.training.test_resume import train_and_die

pytestmark = pytest.mark.skipif(not has_kernels(), reason="this build of torch has no NNPACK")

CPU = torch.device("cpu")
FLOAT = choose_numerics(CPU, "fp32")
FAST = Speeds(plain=2.0, channels_last=1.5, winograd=1.0, plain_back=2.0, winograd_back=1.0)
SLOW = Speeds(plain=1.0, channels_last=1.5, winograd=1.0, plain_back=1.0, winograd_back=1.0)


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """The layers that were measured, with an empty cache; ``speeds`` says how fast they are found."""
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))

    class Measured(list[Layer]):
        speeds = FAST

    layers = Measured()
    monkeypatch.setattr(kernel_choice, "measure", lambda layer: layers.append(layer) or layers.speeds)
    return layers


@pytest.fixture
def net(tiny_recipe):
    return tiny_recipe.net.build(1)


def choose(net, numerics=FLOAT, shape=(1, 32, 32), device=CPU):
    return choose_kernels(numerics, net, device, shape)


def test_launchers_that_measure_at_the_same_moment_choose_the_same(measured, monkeypatch):
    def measure(layer):
        if measured:
            return FAST
        measured.append(layer)
        assert kernel_choice.measure_kept(layer) == FAST  # by another launcher, which ends earlier
        return SLOW

    monkeypatch.setattr(kernel_choice, "measure", measure)
    assert kernel_choice.measure_kept(Layer(8, 8, 32)) == FAST


def infer(net, numerics=FLOAT, shapes=((1, 32, 32),), device=CPU):
    return choose_inference_kernels(numerics, net, device, shapes)


def test_fast_kernels_are_chosen_by_layer_and_direction(measured, net):
    chosen = choose(net).winograd
    assert {name.removesuffix(", backward") for name in chosen} == {layer.forward for layer in measured}
    assert len(chosen) == 2 * len(measured) == 2 * len(set(measured))
    clear_cache()
    measured.speeds = dataclasses.replace(FAST, winograd_back=1.9)
    assert set(choose(net).winograd) == {layer.forward for layer in measured}
    clear_cache()
    measured.speeds = SLOW
    assert choose(net) == FLOAT


def test_another_process_reads_what_one_has_measured(measured, net):
    first, count = choose(net), len(measured)
    measured.speeds = SLOW
    assert choose(net) == first
    assert len(measured) == count
    assert choose(net, shape=(1, 64, 64)) != first
    assert len(measured) > count


@pytest.mark.parametrize("content", ["{", "[]", '{"plain": 1.0}', '{"plain": 1.0, "other": 2.0}'])
def test_a_damaged_file_is_measured_again(measured, net, content):
    first, count = choose(net), len(measured)
    for path in cache_folder().glob("*.kernels.json"):
        path.write_text(content)
    assert choose(net) == first
    assert len(measured) == 2 * count


def test_other_computers_measure_for_themselves(measured, net, monkeypatch):
    choose(net)
    count = len(measured)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    choose(net)
    assert len(measured) == 2 * count


@pytest.mark.parametrize(
    ("numerics", "device"),
    [
        (EXACT_NUMERICS, CPU),
        (SCRIPT_NUMERICS, CPU),
        (choose_numerics(CPU, "bf16"), CPU),
        (choose_numerics(CPU, "fp32", compile=True), CPU),
        (choose_numerics(CPU, "fp32", tf32=True), CPU),
        (FLOAT, torch.device("cuda")),
    ],
)
def test_where_there_is_no_choice_nothing_changes(measured, net, numerics, device):
    assert choose(net, numerics, device=device) == numerics
    assert infer(net, numerics, device=device) == numerics.for_inference
    assert measured == []


def test_inference_takes_what_is_faster_in_all(measured, net):
    chosen = infer(net)
    assert (chosen.channels_last, bool(chosen.winograd)) == (False, True)
    clear_cache()
    measured.speeds = dataclasses.replace(FAST, channels_last=0.9)
    assert infer(net) == FLOAT.for_inference
    clear_cache()
    measured.speeds = SLOW
    assert infer(net) == FLOAT.for_inference


def test_measuring_draws_no_random_numbers(monkeypatch, tmp_path, net):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    choose(net)
    infer(net)
    assert torch.equal(torch.get_rng_state(), before)
    speeds = [json.loads(path.read_text()) for path in cache_folder().glob("*.kernels.json")]
    assert speeds
    assert all(0 < seconds < 10 for found in speeds for seconds in found.values())


@pytest.mark.slow
def test_a_run_says_what_was_chosen_and_keeps_it(measured, content, tiny_recipe, phantoms, tmp_path):
    whole = train(tiny_recipe, phantoms, tmp_path / "whole", precision="fp32", progress=False)
    chosen = whole.record["how"]["winograd"]
    assert chosen
    folder = tmp_path / "killed"
    train_and_die(3, tiny_recipe, phantoms, folder, checkpoint_every=0, precision="fp32")
    clear_cache()
    measured.speeds = SLOW
    resumed = train(tiny_recipe, phantoms, folder, precision="fp32", progress=False)
    assert resumed.record["how"]["winograd"] == chosen
    assert content(resumed.folder) == content(whole.folder)
    other = train(tiny_recipe, phantoms, tmp_path / "other", precision="fp32", progress=False)
    assert other.record["how"]["winograd"] == []
    assert content(other.folder) != content(whole.folder)


def test_an_exact_run_takes_none_and_begins_none_anew(measured, tiny_recipe, phantoms, tmp_path):
    folder = tmp_path / "run"
    train_and_die(0, tiny_recipe, phantoms, folder, precision="fp32")  # before its first checkpoint
    assert json.loads((folder / "run.json").read_text())["how"]["winograd"]
    assert train(tiny_recipe, phantoms, folder, exact=True, progress=False).record["how"]["winograd"] == []


@pytest.mark.slow
def test_other_numerics_are_refused_in_one_line(measured, tiny_recipe, phantoms, tmp_path):
    folder = tmp_path / "run"
    train_and_die(3, tiny_recipe, phantoms, folder, checkpoint_every=0, precision="fp32")
    with pytest.raises(UserError, match="was begun with fused True, winograd convolutions; ask for the same"):
        train(tiny_recipe, phantoms, folder, exact=True, progress=False)
    train(tiny_recipe, phantoms, folder, precision="fp32", progress=False)  # as the message says


@pytest.mark.slow
def test_a_run_of_an_earlier_version_goes_on_as_it_was_begun(measured, content, tiny_recipe, phantoms, tmp_path):
    measured.speeds = SLOW
    whole = train(tiny_recipe, phantoms, tmp_path / "whole", precision="fp32", progress=False)
    folder = tmp_path / "killed"
    train_and_die(3, tiny_recipe, phantoms, folder, checkpoint_every=0, precision="fp32")
    _forget_choice(folder)
    clear_cache()
    measured.speeds = FAST
    assert content(train(tiny_recipe, phantoms, folder, precision="fp32", progress=False).folder) == content(
        whole.folder
    )


def _forget_choice(folder):
    record = json.loads((folder / "run.json").read_text())
    del record["how"]["winograd"]
    (folder / "run.json").write_text(json.dumps(record))
    saved, _ = checkpoint.read_checkpoint(folder / "checkpoint", ("how",))
    del saved["how"]["winograd"]
    checkpoint.write_checkpoint(folder / "checkpoint", saved)


@pytest.mark.slow
def test_a_damaged_choice_is_named(measured, tiny_recipe, phantoms, tmp_path):
    folder = tmp_path / "run"
    train_and_die(3, tiny_recipe, phantoms, folder, checkpoint_every=0, precision="fp32")
    record = json.loads((folder / "run.json").read_text())
    record["how"]["winograd"] = 5
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="'winograd' is 5, not a list"):
        train(tiny_recipe, phantoms, folder, precision="fp32", progress=False)
