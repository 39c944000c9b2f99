"""How fast the nineteen train and predict, what each choice of numerics is worth, and where the time of a step goes."""

from __future__ import annotations

import functools
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from choices import CHOICES, USUAL, Choice
from contenders import Ours
from cost_per_case import Repeated, phantom_pool
from device_limits import memory_rise, step_flops
from image_files import write_phantoms
from recipe_measurement import Plan, cases_needed, measure
from setting import Setting, synchronise
from task import Task
from workers import Item

import llmseg
from llmseg import Recipe
from llmseg.training import Profile, Recording, choose_numerics

CHOSEN = {"31 M": "gpt-4o", "7.7 M": "gpt-4", "0.5 M": "llama-3.1-405b"}
"""The pipelines with which every choice is tried, by the size of their networks."""

FILE_STEPS = 6
"""Steps in a round with image files: the plain loop decodes every file in every round, which takes most of the time."""

STEPS = 24
PIXELS = 512
KERNELS = 25
"""Operations or kernels that a profile lists, those that take longest."""


def count_workers(_: Setting) -> int:
    """Return how many items run at once: one, for the others would disturb it."""
    return 1


def list_items(setting: Setting) -> list[Item]:
    """Return the items, the most important first."""
    names = [*CHOSEN.values()][-1:] if setting.small else _sort_pipelines()
    sizes = {size: name for size, name in CHOSEN.items() if name in names}
    quick = [name for name, choice in CHOICES.items() if name != USUAL and not choice.compiles]
    slow = [name for name, choice in CHOICES.items() if choice.compiles]
    if setting.small:
        quick = ["as scripts", "without search for kernels", "cases on the host"]
        slow = slow if setting.place == "cuda" else []  # a CPU has no CUDA graphs, and takes minutes to compile
    steady = functools.partial(_steady_item, setting)
    others = [name for name in names if name not in sizes.values()]
    files = {name: Item(f"files {name}", 8, functools.partial(measure_files, setting, name)) for name in names}
    tried = {
        size: [steady(f"choice {size}: {choice}", name, choice) for choice in quick] for size, name in sizes.items()
    }
    largest = next(iter(sizes))
    return [
        *(steady(f"steady {name}", name, USUAL) for name in sizes.values()),
        *(files[name] for name in sizes.values()),
        *tried[largest],
        *(Item(f"profile {size}", 6, functools.partial(profile_steps, setting, name)) for size, name in sizes.items()),
        *(steady(f"steady {name}", name, USUAL) for name in others),
        *(files[name] for name in others),
        *(item for size in list(sizes)[1:] for item in tried[size]),
        *(steady(f"choice {size}: {choice}", name, choice) for choice in slow for size, name in sizes.items()),
    ]


def _sort_pipelines() -> list[str]:
    """Return the nineteen, those on which the choices are tried first."""
    return [*CHOSEN.values(), *(name for name in llmseg.zoo.names() if name not in CHOSEN.values())]


def _steady_item(setting: Setting, name: str, pipeline: str, choice: str) -> Item:
    seconds = 30.0 if CHOICES[choice].compiles else 4.0
    return Item(name, seconds, functools.partial(measure_steps, setting, pipeline, choice))


def measure_steps(setting: Setting, pipeline: str, choice: str) -> dict[str, Any]:
    """Train and predict cases that are prepared and at hand, with one choice of numerics, after a round of each that
    does not count.
    """
    device, made = setting.device, CHOICES[choice]
    with made.around():
        began = time.perf_counter()
        ours, recipe = make_contender(setting, pipeline, made)
        try:
            ours.train()  # finds kernels, compiles, allocates
            ours.settle()
            synchronise(device)
            warm = time.perf_counter() - began
            trained = _time_rounds(ours.train, ours.settle, device)
            kept = ours.kept_bytes()
            rise = memory_rise(ours.train, device)
            ours.settle()
            ours.predict()
            predicted = _time_rounds(ours.predict, lambda: None, device)
            share = _share_outside(ours)
        finally:
            ours.close()
    size, cases = ours.prepared.size, len(ours.task.ids)
    return {
        "pipeline": pipeline,
        "numerics": str(ours.task.numerics),
        "batch_size": ours.task.batch_size,
        "size": list(size),
        "images_per_second": {"train": cases / trained, "inference": cases / predicted},
        "gflop_per_image": (flops := step_flops(recipe, ours.task.batch_size, size) / ours.task.batch_size) / 1e9,
        "share_of_peak": _share_of_peaks(setting, cases / trained * flops / 1e12),
        "peak_memory_mib": None if rise is None else (kept + rise) / 2**20,
        "share_outside_network": share,
        "seconds_before_first_round": warm,
    }


def make_contender(setting: Setting, pipeline: str, choice: Choice = CHOICES[USUAL]) -> tuple[Ours, Recipe]:
    """Return our trainer with a network on the device and prepared cases, which come from memory."""
    recipe = _resize(setting, pipeline)
    steps = 2 if setting.small else STEPS
    torch.manual_seed(0)
    net = recipe.net.build(recipe.images.channels)
    store = Repeated(_draw_pool(recipe.images.size), cases_needed(recipe, steps))
    numerics = choice.numerics(choose_numerics(setting.device))
    task = Task(recipe, store, net, setting.device, numerics)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, {"LLMSEG_CACHE": cache}):
        return Ours(task), recipe


def _resize(setting: Setting, pipeline: str) -> Recipe:
    recipe: Recipe = llmseg.zoo.get(pipeline).recipe
    if setting.small:
        recipe = recipe.change("images.size", (64, 64)).change("fit.batch_size", 2)
    return recipe


@functools.cache
def _draw_pool(size: tuple[int, int]) -> tuple[llmseg.data.Case, ...]:
    return phantom_pool("endoscopy", size[0])


def _time_rounds(work: Callable[[], None], after: Callable[[], None], device: torch.device) -> float:
    """Return the median seconds of three rounds; what comes after each is not counted."""
    seconds = []
    for _ in range(3):
        synchronise(device)
        began = time.perf_counter()
        work()
        synchronise(device)
        seconds.append(time.perf_counter() - began)
        after()
    return statistics.median(seconds)


def _share_outside(ours: Ours) -> float:
    """Return the share of a step outside the network, in a round that waits for the device after every part."""
    with ours.clock.watch():
        ours.train()
    ours.settle()
    return 1 - ours.clock.share("network")


def _share_of_peaks(setting: Setting, tflops: float) -> dict[str, float]:
    """Return what share of the best products of matrices a training reaches, where these were measured."""
    peaks = {name: setting.find_value("device", f"matrix {name}").get("tflops") for name in ("fp32", "tf32", "bf16")}
    return {name: tflops / peak for name, peak in peaks.items() if peak}


def profile_steps(setting: Setting, pipeline: str) -> dict[str, Any]:
    """Return what the time of training steps goes to: the share of every group, and what takes longest."""
    ours, _ = make_contender(setting, pipeline)
    recording = Recording(setting.device)
    try:
        ours.train()
        ours.settle()
        recording.start()
        ours.train()
        trace = recording.stop(steps=len(ours.task.ids) // ours.task.batch_size)
    finally:
        ours.close()
    found = Profile.of_trace(trace)
    rows = [{"kernel": name[:120], "share": share} for name, share in itertools.islice(found.names.items(), KERNELS)]
    return {"seconds": found.seconds, "steps": found.steps, "shares": found.shares, "kernels": rows}


def measure_files(setting: Setting, pipeline: str) -> dict[str, Any]:
    """Measure a plain loop, MONAI's trainer and ours on image files, as ``benchmarks/throughput/measure.py`` does."""
    recipe, device = _resize(setting, pipeline), setting.device
    steps, rounds = (1, 1) if setting.small else (FILE_STEPS, 2)
    plan = Plan(steps, rounds, device, choose_numerics(device))
    peaks = {name: setting.find_value("device", f"matrix {name}").get("tflops") for name in ("fp32", "bf16")}
    # As many as the largest batch takes, so that they are written once.
    names = [pipeline] if setting.small else llmseg.zoo.names()
    folder = _write_files(max(cases_needed(_resize(setting, name), steps) for name in names))
    row = measure(recipe, folder, plan, {name: peak for name, peak in peaks.items() if peak})
    if len(row["errors"]) == len(row["ratios"]) + 1:
        raise RuntimeError(f"all failed: {row['errors']}")
    return {"pipeline": pipeline, **row}


@functools.cache
def _write_files(count: int) -> llmseg.FolderStore:
    """Return so many phantoms as PNG files, in the folder of what this sitting leaves behind."""
    return write_phantoms(Path(tempfile.mkdtemp()), "endoscopy", count, PIXELS)
