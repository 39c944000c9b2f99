"""Measure what a training step and a prediction gain on one thread of a CPU when freed memory stays in the process.

    python benchmarks/freed_memory.py --json benchmarks/results/freed_memory.json

Every measurement is a process of its own, by turns with and without :func:`llmseg.training.keep_freed_memory`, and the
gain is the median of the ratios of CPU time, for other work on the machine disturbs both alike. ``exact`` computes as
the scripts do, ``fp32`` and ``bf16`` as ``llmseg train`` and ``llmseg predict`` do. ``exact`` without is the plain loop
of the scripts; ``gain_over_plain`` compares with it.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import benchmark
import torch

from llmseg import Recipe, zoo
from llmseg.training import (
    EXACT_NUMERICS,
    Numerics,
    State,
    choose_inference_kernels,
    choose_kernels,
    choose_numerics,
    keep_freed_memory,
)

CPU = torch.device("cpu")
NUMERICS = ("exact", "fp32", "bf16")
PIPELINES = ("grok-3", "gpt-4", "gpt-o3")

Measured = dict[str, float]


def main() -> int:
    """Measure, print a line for each result, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", nargs="+", default=PIPELINES, help="whose networks are measured")
    parser.add_argument("--numerics", nargs="+", choices=NUMERICS, default=NUMERICS, help="how they are computed")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--steps", type=int, default=3, help="steps that are timed in a process")
    parser.add_argument("--repeats", type=int, default=3, help="processes of each kind")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = {name: getattr(options, name) for name in ("batch_size", "size", "steps", "repeats")}
    rows = []
    for pipeline in options.pipelines:
        rows += measure_pipeline(pipeline, options.numerics, **settings)
        print(*rows[-len(options.numerics) :], sep="\n", flush=True)
    if options.json:
        benchmark.write_results(options.json, settings=settings, rows=rows)
    return 0


def measure_pipeline(
    pipeline: str, numerics: Sequence[str], *, batch_size: int, size: int, steps: int, repeats: int
) -> list[dict[str, Any]]:
    """Return a row for each way to compute: what it gains by the memory that is kept, and over the plain loop."""
    kinds = list(itertools.product(dict.fromkeys(("exact", *numerics)), (False, True)))
    measured: dict[tuple[str, bool], list[Measured]] = {kind: [] for kind in kinds}
    # A process for each: what an earlier one has kept or given back would be found by the next.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        for _, kind in itertools.product(range(repeats), kinds):
            measured[kind].append(pool.submit(measure_process, pipeline, *kind, batch_size, size, steps).result())
    return [
        {
            "pipeline": pipeline,
            "numerics": name,
            "given_back": _take_medians(measured[name, False]),
            "kept": _take_medians(measured[name, True]),
            "gain": _compare(measured[name, False], measured[name, True]),
            "gain_over_plain": _compare(measured["exact", False], measured[name, True]),
        }
        for name in numerics
    ]


def _take_medians(measured: list[Measured]) -> Measured:
    return {name: statistics.median(each[name] for each in measured) for name in measured[0]}


def _compare(before: list[Measured], after: list[Measured]) -> Measured:
    return {
        kind: statistics.median(a[f"{kind}_seconds"] / b[f"{kind}_seconds"] for a, b in zip(before, after, strict=True))
        for kind in ("step", "prediction")
    }


def measure_process(name: str, numerics: str, kept: bool, batch_size: int, size: int, steps: int) -> Measured:
    """Return CPU seconds and page faults of a step and of a prediction of one image, and the process's memory in MB."""
    torch.set_num_threads(1)
    torch.backends.nnpack.is_available()  # makes it ready
    torch.manual_seed(0)
    recipe = zoo.get(name).recipe.change("images.size", (size, size))
    with keep_freed_memory() if kept else nullcontext():
        step, predict = _build(recipe, numerics, batch_size)
        return {
            **_measure("step", step, steps),
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            **_measure("prediction", predict, steps),
        }


def _build(recipe: Recipe, name: str, batch_size: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a training step and a prediction."""
    shape = (recipe.images.channels, *recipe.images.size)
    net = recipe.net.build(recipe.images.channels)
    images = torch.rand(batch_size, *shape)
    masks = (torch.rand(batch_size, 1, *shape[1:]) > 0.5).float()
    numerics, for_inference = _choose(name, net, shape)
    forward = numerics.build_forward(numerics.place(net.train(), CPU))
    optimizer = State.begin(recipe.fit, net, numerics).optimizer

    def step() -> None:
        optimizer.zero_grad()
        recipe.loss(forward(images), masks).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def predict() -> None:
        with torch.no_grad():
            for_inference.build_forward(for_inference.place(net.eval(), CPU))(images[:1])

    return step, predict


def _choose(name: str, net: torch.nn.Module, shape: tuple[int, int, int]) -> tuple[Numerics, Numerics]:
    if name == "exact":
        return EXACT_NUMERICS, EXACT_NUMERICS
    chosen = choose_numerics(CPU, name)
    return choose_kernels(chosen, net, CPU, shape), choose_inference_kernels(chosen, net, CPU, [shape])


def _measure(kind: str, compute: Callable[[], None], times: int) -> Measured:
    compute()
    seconds, faults = [], _count_faults()
    for _ in range(times):
        began = time.process_time()
        compute()
        seconds.append(time.process_time() - began)
    return {f"{kind}_seconds": statistics.median(seconds), f"{kind}_faults": (_count_faults() - faults) / times}


def _count_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


if __name__ == "__main__":
    benchmark.run(main)
