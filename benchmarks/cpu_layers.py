"""Measure on one thread of a CPU, in float32, which kernel is fast for each layer of a U-Net, and what all of it gains.

    python benchmarks/cpu_layers.py --json benchmarks/results/cpu_layers_avx512.json
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/cpu_layers.py --json FILE

The second command imitates a processor with AVX2 on one that has more; ``imitated`` in the result says so.

Every variant is timed in CPU time, by turns with torch's default, and its gain is the median of the ratios: other work
on the machine disturbs both alike. ``layers`` has the convolutions of the network, forward, and backward to input and
weights. ``whole`` has a training step and an inference of the whole network.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import benchmark
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from llmseg import Recipe, zoo
from llmseg.training import (
    EXACT_NUMERICS,
    State,
    choose_inference_kernels,
    choose_kernels,
    choose_numerics,
)

CPU = torch.device("cpu")
CLASSIC = "grok-3"
"""The pipeline with the classic U-Net of 31 million weights."""

LAST = torch.channels_last

Compute = Callable[[], object]


def main() -> int:
    """Measure, print a line for each result, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default=CLASSIC, help=f"whose layers are measured ({CLASSIC})")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of each variant")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.nnpack.is_available()  # makes it ready
    recipe = zoo.get(options.pipeline).recipe.change("images.size", (options.size, options.size))
    results: dict[str, Any] = {
        "settings": {name: getattr(options, name) for name in ("pipeline", "batch_size", "size", "repeats")},
        "layers": [],
    }
    for layer in list_layers(recipe, options.batch_size):
        results["layers"].append(measure_layer(layer, options.batch_size, options.repeats))
        print(results["layers"][-1], flush=True)
    results["whole"] = measure_whole(recipe, options.batch_size, options.repeats)
    print(results["whole"], flush=True)
    if options.json:
        benchmark.write_results(options.json, **results)
    return 0


def time_pairs(default: Compute, variants: Mapping[str, Compute], repeats: int) -> dict[str, float]:
    """Return the CPU seconds of the default, and how many times as fast each of the variants is."""
    for compute in (default, *variants.values()):
        compute()
    ratios: dict[str, list[float]] = {name: [] for name in variants}
    seconds: list[float] = []
    for _ in range(repeats):
        for name, compute in variants.items():
            seconds.append(time_once(default))
            ratios[name].append(seconds[-1] / time_once(compute))
    return {"seconds": statistics.median(seconds)} | {name: statistics.median(each) for name, each in ratios.items()}


def time_once(compute: Compute) -> float:
    """Return the CPU seconds of a computation."""
    began = time.process_time()
    compute()
    return time.process_time() - began


def list_layers(recipe: Recipe, cases: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
    """Return the 3x3 and transposed convolutions of a network with the shapes of their maps, each kind once."""
    net = recipe.net.build(recipe.images.channels).eval()
    found: dict[tuple[object, ...], tuple[nn.Module, tuple[int, ...]]] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
        shape = tuple(inputs[0].shape[1:])
        found[type(module), module.out_channels, shape] = (module, (cases, *shape))

    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d) or (isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3)):
            module.register_forward_hook(note)
    with torch.no_grad():
        net(torch.zeros(1, recipe.images.channels, *recipe.images.size))
    return list(found.values())


@torch.no_grad()
def measure_layer(layer: tuple[nn.Module, tuple[int, ...]], cases: int, repeats: int) -> dict[str, Any]:
    """Return what the variants of a layer gain, forward and backward."""
    module, shape = layer
    assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    maps = torch.randn(shape)
    gradient = torch.randn(module(maps).shape)
    measure = _measure_convolution if isinstance(module, nn.Conv2d) else _measure_transposed
    return {
        "layer": type(module).__name__,
        "channels": [module.in_channels, module.out_channels],
        "size": list(shape[2:]),
        **measure(module, maps, gradient, repeats),
    }


def _differentiate(module: Any, maps: Tensor, gradient: Tensor, transposed: bool, wanted: list[bool]) -> object:
    stride, padding = list(module.stride), list(module.padding)
    return torch.ops.aten.convolution_backward(
        gradient, maps, module.weight, [module.out_channels], stride, padding, [1, 1], transposed, [0, 0], 1, wanted
    )


def _convolve_each(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    parts = (torch._nnpack_spatial_convolution(part[None], weight, bias, [1, 1], [1, 1]) for part in maps)
    return torch.cat(list(parts))


def _measure_convolution(module: Any, maps: Tensor, gradient: Tensor, repeats: int) -> dict[str, Any]:
    weight, bias = module.weight, module.bias
    last = copy.deepcopy(module).to(memory_format=LAST)
    maps_last, gradient_last = maps.to(memory_format=LAST), gradient.to(memory_format=LAST)
    to_input, to_weight = [True, False, False], [False, True, True]
    forward = {
        "channels_last": lambda: last(maps_last),
        "winograd": lambda: _convolve_each(maps, weight, bias),
        "winograd_whole_batch": lambda: torch._nnpack_spatial_convolution(maps, weight, bias, [1, 1], [1, 1]),
    }
    input_back = {
        "channels_last": lambda: _differentiate(last, maps_last, gradient_last, False, to_input),
        "winograd": lambda: _convolve_each(gradient, weight.flip(2, 3).transpose(0, 1).contiguous(), None),
    }
    weight_back = {"channels_last": lambda: _differentiate(last, maps_last, gradient_last, False, to_weight)}
    default = functional.conv2d(maps, weight, bias, padding=1)
    error = (_convolve_each(maps, weight, bias) - default).abs().max() / default.abs().max()
    return {
        "forward": time_pairs(lambda: module(maps), forward, repeats),
        "to_input": time_pairs(lambda: _differentiate(module, maps, gradient, False, to_input), input_back, repeats),
        "to_weight": time_pairs(lambda: _differentiate(module, maps, gradient, False, to_weight), weight_back, repeats),
        "largest_relative_error": error.item(),
    }


def _measure_transposed(module: Any, maps: Tensor, gradient: Tensor, repeats: int) -> dict[str, Any]:
    last = copy.deepcopy(module).to(memory_format=LAST)
    maps_last, gradient_last = maps.to(memory_format=LAST), gradient.to(memory_format=LAST)
    inside, outside = module.weight.shape[:2]

    def shuffle() -> Tensor:
        weight = module.weight.permute(1, 2, 3, 0).reshape(4 * outside, inside, 1, 1)
        return functional.pixel_shuffle(functional.conv2d(maps, weight, module.bias.repeat_interleave(4)), 2)

    def shuffle_back() -> Tensor:
        return functional.conv2d(functional.pixel_unshuffle(gradient, 2), module.weight.reshape(inside, -1, 1, 1))

    def back(wanted: list[bool]) -> tuple[Compute, Compute]:
        return (
            lambda: _differentiate(module, maps, gradient, True, wanted),
            lambda: _differentiate(last, maps_last, gradient_last, True, wanted),
        )

    (to_input, to_input_last), (to_weight, to_weight_last) = back([True, False, False]), back([False, True, True])
    forward = {"channels_last": lambda: last(maps_last), "pixel_shuffle": shuffle}
    return {
        "forward": time_pairs(lambda: module(maps), forward, repeats),
        "to_input": time_pairs(to_input, {"channels_last": to_input_last, "pixel_shuffle": shuffle_back}, repeats),
        "to_weight": time_pairs(to_weight, {"channels_last": to_weight_last}, repeats),
    }


def measure_whole(recipe: Recipe, cases: int, repeats: int) -> dict[str, Any]:
    """Return what a training step and an inference gain by the chosen kernels, and inference by other means."""
    torch.manual_seed(0)
    net = recipe.net.build(recipe.images.channels)
    shape = (recipe.images.channels, *recipe.images.size)
    images, masks = torch.rand(cases, *shape), (torch.rand(cases, 1, *shape[1:]) > 0.5).float()
    plain = choose_numerics(CPU, "fp32")
    chosen = choose_kernels(plain, net, CPU, shape)
    for_inference = choose_inference_kernels(plain, net, CPU, [shape])

    def step(numerics: Any) -> Compute:
        own = copy.deepcopy(net).train()
        forward, optimizer = numerics.build_forward(own), State.begin(recipe.fit, own, numerics).optimizer

        def compute() -> None:
            optimizer.zero_grad()
            recipe.loss(forward(images), masks).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

        return compute

    def infer(numerics: Any, own: nn.Module) -> Compute:
        forward = numerics.build_forward(numerics.place(copy.deepcopy(own).eval(), CPU))

        def compute() -> None:
            with torch.no_grad():
                forward(images[:1])

        return compute

    folded = fold_batch_norm(net)
    inference = {
        "channels_last": infer(plain.for_inference, net),
        "chosen": infer(for_inference, net),
        "channels_last_folded": infer(plain.for_inference, folded),
        "chosen_folded": infer(for_inference, folded),
    }
    return {
        "step": time_pairs(step(EXACT_NUMERICS), {"fused": step(plain), "chosen": step(chosen)}, repeats),
        "inference": time_pairs(infer(EXACT_NUMERICS, net), inference, repeats),
        "winograd": list(chosen.winograd),
        "winograd_for_inference": list(for_inference.winograd),
        "aims": {"step": 1.15, "inference": 2.0},
    }


def fold_batch_norm(net: nn.Module) -> nn.Module:
    """Return a copy for inference in which every batch norm behind a convolution is part of its weights."""
    folded = copy.deepcopy(net).eval()
    for block in [module for module in folded.modules() if isinstance(module, nn.Sequential)]:
        for index, (first, second) in enumerate(itertools.pairwise(list(block))):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                block[index], block[index + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return folded


if __name__ == "__main__":
    benchmark.run(main)
