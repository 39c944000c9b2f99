"""What a training costs, counted without computing anything."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
import torch

from llmseg import UserError, zoo
from llmseg.training.cost import estimate_cost, measure_speed
from llmseg.training.memory import measure_needs
from llmseg.training.numerics import EXACT_NUMERICS


def count_by_hand(recipe, size):
    """Return the operations of all convolutions in a forward pass, from the sizes of their outputs."""
    total = 0

    def add(layer, given, output):
        nonlocal total
        weight = layer.weight
        # A transposed convolution uses every weight once per input pixel, a convolution once per output pixel.
        pixels = given[0][0, 0].numel() if isinstance(layer, torch.nn.ConvTranspose2d) else output[0, 0].numel()
        total += 2 * weight.numel() * pixels

    net = recipe.net.build(recipe.images.channels).eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            layer.register_forward_hook(add)
    with torch.no_grad():
        net(torch.zeros(1, recipe.images.channels, *size))
    return total


@pytest.mark.parametrize("name", ["llama-3.1-405b", "bing-copilot", "gpt-o3"])
def test_operations_are_those_of_the_convolutions(name):
    recipe = zoo.get(name).recipe
    assert estimate_cost(recipe, (32, 32)).flops == 3 * count_by_hand(recipe, (32, 32))


@pytest.mark.parametrize("name", ["llama-3.1-405b", "bing-copilot", "gpt-o3"])
def test_memory_is_what_a_pass_with_numbers_keeps(name):
    recipe = zoo.get(name).recipe
    batch = torch.zeros(1, recipe.images.channels, 32, 32), torch.zeros(1, 1, 32, 32)
    needs = measure_needs(recipe, recipe.net.build(recipe.images.channels), EXACT_NUMERICS, batch)
    counted = estimate_cost(recipe, (32, 32)).needs
    assert counted.fixed == needs.fixed
    assert counted.per_case == pytest.approx(needs.per_case, rel=0.02)
    assert counted.of_batch(8) == counted.fixed + 8 * counted.per_case


def test_a_size_that_the_network_cannot_take_is_refused():
    with pytest.raises(UserError, match="sides of at least 128"):
        estimate_cost(zoo.get("nnunet-plain-unet").recipe, (64, 64))


def test_the_speed_is_that_of_steps_that_were_timed(monkeypatch):
    """With a clock that advances by half a second whenever it is read, a step takes that long."""
    recipe = zoo.get("llama-3.1-405b").recipe
    ticks = iter(range(100))
    monkeypatch.setattr("llmseg.training.cost.time.perf_counter", lambda: next(ticks) / 2)
    speed = measure_speed(recipe, EXACT_NUMERICS, torch.device("cpu"), size=32)
    assert speed == pytest.approx(2 * estimate_cost(recipe, (32, 32)).flops / 0.5)


@pytest.mark.slow
def test_the_page_says_how_far_the_speeds_of_networks_lie_apart():
    """From the measured images per second of all nineteen; the page rounds to a tenth."""
    root = Path(__file__).parents[2]
    rows = json.loads((root / "benchmarks/results/throughput_avx512_bf16.json").read_text(encoding="utf-8"))["rows"]
    speeds = [
        estimate_cost(zoo.get(row["pipeline"]).recipe, tuple(row["size"])).flops
        * row["images_per_second"]["train"]["ours"]
        for row in rows
    ]
    usual = statistics.median(speeds)
    page = (root / "docs" / "how-to" / "study-file.md").read_text(encoding="utf-8")
    assert f"between {min(speeds) / usual:.1f} and {max(speeds) / usual:.1f} times the speed of the middle one" in page
