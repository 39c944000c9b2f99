from __future__ import annotations

import json
import sys

import pytest
import torch
from torch import nn

import llmseg
from llmseg.training import choose_numerics

pytestmark = pytest.mark.slow

NAMES = ("plain", "monai", "ours")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(module, tmp_path_factory):
    return module("image_files").write_phantoms(tmp_path_factory.mktemp("files"), "endoscopy", 9, pixels=48)


@pytest.fixture(scope="module")
def plan(module):
    return module("recipe_measurement").Plan(steps=2, rounds=2, device=CPU, numerics=choose_numerics(CPU))


@pytest.fixture(scope="module")
def row(module, tiny_recipe, folder, plan):
    return module("recipe_measurement").measure(tiny_recipe, folder, plan, {"fp32": 0.1, "bf16": 0.2})


def numbers(value):
    """All numbers in a result, however deep."""
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in numbers(inner)]
    return [value] if isinstance(value, int | float) else []


def test_a_row_is_complete(row, tiny_recipe):
    assert row["errors"] == {}
    assert row["batch_size"] == tiny_recipe.fit.batch_size
    assert row["size"] == [32, 32]
    for figures in (*row["images_per_second"].values(), row["share_outside_network"], row["peak_memory_mib"]):
        assert set(figures) == set(NAMES)
    assert [name for name, value in row["preparation_ms"].items() if value is None] == ["plain"]
    assert all(number > 0 for number in numbers(row))
    shares = [*row["share_outside_network"].values(), row["data_share"]]
    assert all(share < 1 for share in shares)
    assert row["data_share"] < row["share_outside_network"]["ours"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")
def test_memory_covers_weights_gradients_and_moments(row):
    least = 4 * 4 * row["parameters"] / 2**20
    assert all(memory > least for memory in row["peak_memory_mib"].values())


def test_every_round_is_measured_and_the_first_is_the_warm_up(row):
    for what in ("train", "inference"):
        for name in NAMES:
            seconds = row["warm_up_and_round_seconds"][name][what]
            assert len(seconds) == 3
            assert row["images_per_second"][what][name] == pytest.approx(8 / (sum(seconds[1:]) / 2))


def test_ratios_and_shares_are_the_quotients(row):
    for what, ratios in (("train", row["ratios"]), ("inference", row["inference_ratios"])):
        speed = row["images_per_second"][what]
        assert ratios == {
            "ours_vs_plain": speed["ours"] / speed["plain"],
            "ours_vs_monai": speed["ours"] / speed["monai"],
        }
    rate = row["gflop_per_image"] * row["images_per_second"]["train"]["ours"] / 1000
    assert row["flop_share_of_peak"] == pytest.approx({"fp32": rate / 0.1, "bf16": rate / 0.2})


def test_the_geometric_mean_leaves_out_what_failed(module):
    mean = module("recipe_measurement").geometric_mean
    assert mean([2.0, None, 8.0]) == pytest.approx(4.0)
    assert mean([None]) is None


def test_ours_puts_back_the_switches_when_it_fails(module, tiny_recipe, folder, plan, monkeypatch):
    def broken(self):
        raise ValueError("broken")

    monkeypatch.setattr(module("contenders").Ours, "predict", broken)
    before = torch.backends.cudnn.benchmark
    row = module("recipe_measurement").measure(tiny_recipe, folder, plan, {"fp32": 0.1})
    assert row["errors"] == {"ours": "ValueError: broken"}
    assert set(row["ratios"].values()) == {None}
    assert row["flop_share_of_peak"] == {"fp32": None}
    assert torch.backends.cudnn.benchmark == before


def test_a_contender_that_fails_is_reported(module, tiny_recipe, folder, plan, monkeypatch):
    def out_of_memory(self):
        raise torch.OutOfMemoryError("not enough")

    monkeypatch.setattr(module("contenders").Plain, "train", out_of_memory)
    row = module("recipe_measurement").measure(tiny_recipe, folder, plan, {"fp32": 0.1})
    assert row["errors"] == {"plain": "OutOfMemoryError: not enough"}
    assert row["images_per_second"]["train"]["plain"] is None
    assert row["ratios"]["ours_vs_plain"] is None
    assert row["ratios"]["ours_vs_monai"] > 0


@pytest.fixture
def contenders(module, tiny_recipe, folder):
    store = module("image_files").FirstCases(folder, 9)
    torch.manual_seed(0)
    net = tiny_recipe.net.build(1)
    task = module("task").Task(tiny_recipe, store, net, CPU, choose_numerics(CPU))
    made = [kind(task) for kind in module("contenders").CONTENDERS]
    yield made
    for contender in made:
        contender.close()


def seen(contender, work):
    """The images that pass through the network, each as bytes."""
    images: list[bytes] = []
    hook = contender.net.register_forward_pre_hook(
        lambda _, inputs: images.extend(i.numpy().tobytes() for i in inputs[0])
    )
    work()
    hook.remove()
    return images


def test_all_see_the_same_cases(contenders):
    assert tuple(contender.name for contender in contenders) == NAMES
    trained, predicted = [], []
    for _ in range(2):
        for contender in contenders:
            trained.append(sorted(seen(contender, contender.train)))
            contender.settle()
            predicted.append(seen(contender, contender.predict))
    assert len(trained[0]) == 8
    assert all(images == trained[0] for images in trained)
    assert all(images == predicted[0] for images in predicted)
    assert sorted(predicted[0]) == trained[0]


def test_all_start_alike_and_with_the_same_optimiser(contenders):
    first = [next(contender.net.parameters()).detach().clone() for contender in contenders]
    assert all(torch.equal(weights, first[0]) for weights in first)
    kinds = {type(contender.optimizer) for contender in contenders}
    assert len(kinds) == 1
    groups = [contender.optimizer.param_groups[0] for contender in contenders]
    for name in ("lr", "weight_decay", "betas", "eps"):
        assert len({group[name] for group in groups}) == 1
    assert [bool(group["fused"]) for group in groups] == [False, False, True]


def test_switches_of_ours_do_not_reach_the_others(contenders):
    *_, ours = contenders
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    for work in (ours.train, ours.settle, ours.predict, ours.train, ours.close):
        work()
        now = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        assert now == before


def test_too_few_cases_are_refused(module, folder):
    with pytest.raises(llmseg.UserError, match="10 cases are needed"):
        module("image_files").FirstCases(folder, 10)


def test_operations_are_counted_as_by_hand(module):
    count = module("device_limits").flop_count
    net = nn.Conv2d(1, 4, kernel_size=3, padding=1)
    image, mask = torch.zeros(2, 1, 8, 8), torch.zeros(2, 4, 8, 8)
    multiplied = 2 * 4 * 8 * 8 * 1 * 3 * 3
    # Forward and the gradient of the weights; nobody asks for that of the image.
    assert count(net, lambda output, mask: (output - mask).sum(), image, mask) == 2 * 2 * multiplied


def test_operations_without_content_are_those_with_it(module, tiny_recipe):
    peak = module("device_limits")
    net = tiny_recipe.net.build(1)
    image, mask = torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32)
    assert peak.step_flops(tiny_recipe, 2, (32, 32)) == peak.flop_count(net, tiny_recipe.loss, image, mask)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")
def test_memory_is_what_is_used_and_given_back(module):
    rise = module("device_limits").memory_rise(lambda: torch.ones(2**25).sum(), CPU)
    # The system counts pages in lots.
    assert rise == pytest.approx(2**27, abs=2**24)


def test_the_script_writes_what_it_measures(module, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module("device_limits"), "SIZES", (32, 64))
    arguments = ("--quick", "--pipelines", "llama-3.1-405b", "--size", "64", "--pixels", "80", "--rounds", "1")
    result = run(module, tmp_path, monkeypatch, *arguments)
    assert set(result) == {
        *("hardware", "versions", "device", "peak", "settings", "rows", "ratios", "inference_ratios")
    }
    assert result["rows"][0]["pipeline"] == "llama-3.1-405b"
    assert result["ratios"] == pytest.approx(result["rows"][0]["ratios"])
    assert all(rate > 0 for rate in result["peak"].values())
    assert "ours_vs_monai" in capsys.readouterr().out


def test_cost_against_the_number_of_cases(module, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module("cost_per_case"), "POOL", 3)
    result = run(module, tmp_path, monkeypatch, "--cases", "20", "40", "--size", "16")
    assert [case["cases"] for case in result["cases"]] == [20, 40]
    for case in result["cases"]:
        assert case["build_ms_per_case"] > 0
        assert case["disk_kib_per_case"] > 0.5
        for kept in ("in_memory", "on_disk"):
            assert all(case[kept].pop(name) is not None for name in ("own_memory_mib", "mapped_memory_mib"))
            assert set(case[kept]) == {"open_ms", "first_batch_ms", "order_us_per_image", "batch_us_per_image"}
            assert all(value > 0 for value in case[kept].values())
    assert "on_disk" in capsys.readouterr().out


def run(module, folder, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["measure.py", "--device", "cpu", *arguments, "--json", str(folder / "t.json")])
    module("measure").main()
    return json.loads((folder / "t.json").read_text())
