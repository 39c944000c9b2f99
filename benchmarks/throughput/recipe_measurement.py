"""The measurement of one recipe: its contenders by turns, and what each round says."""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from unittest import mock

import torch
from contenders import CONTENDERS
from device_limits import give_back, memory_rise, step_flops, synchronise
from image_files import FirstCases
from task import Contender, Task

import llmseg
from llmseg import Recipe
from llmseg.training import Numerics

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        steps: Training steps in a round, which takes every case once.
        rounds: Rounds of each contender; one more before them does not count.
        device: Where to compute.
        numerics: How ours computes.
    """

    steps: int
    rounds: int
    device: torch.device
    numerics: Numerics


@dataclass
class Entrant:
    """A contender, what was measured of it, and why it dropped out if it did.

    Attributes:
        kind: Which contender.
        contender: It, as long as it takes part.
        error: Why it dropped out.
        seconds: Durations of its rounds in training and inference; the first is the warm-up.
        memory: What its training takes, in bytes.
    """

    kind: type[Contender]
    contender: Contender | None = None
    error: str | None = None
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"train": [], "inference": []})
    memory: int | None = None

    @property
    def name(self) -> str:
        """Name of the contender."""
        return self.kind.name

    def attempt(self, work: Callable[[Contender], _Result]) -> _Result | None:
        """Let the contender do something; one that fails, for whatever reason, is out and the others go on."""
        if self.contender is None:
            return None
        try:
            return work(self.contender)
        except Exception as error:
            self._drop_out(error)
            return None

    def enter(self, task: Task) -> None:
        """Make the contender."""
        try:
            self.contender = self.kind(task)
        except Exception as error:
            self._drop_out(error)

    def _drop_out(self, error: Exception) -> None:
        if self.contender is not None:
            self.contender.close()
        self.contender, self.error = None, f"{type(error).__name__}: {error}"
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def note(self, what: str, seconds: float | None) -> None:
        """Keep the duration of a round."""
        if seconds is not None:
            self.seconds[what].append(seconds)

    def median(self, what: str) -> float | None:
        """Return the median duration of a round after the warm-up; ``None`` for a contender that dropped out."""
        return None if self.contender is None else statistics.median(self.seconds[what][1:])


def cases_needed(recipe: Recipe, steps: int) -> int:
    """Return how many cases a store must have: those of a round, and one for our validation."""
    return recipe.fit.batch_size * steps + 1


def measure(recipe: Recipe, folder: llmseg.FolderStore, plan: Plan, peak: Mapping[str, float]) -> dict[str, Any]:
    """Measure the contenders on one recipe, by turns, and return a row of the result.

    Args:
        recipe: The recipe, with the batch size and working size to be measured.
        folder: Image files; the first of them are used.
        plan: How much is measured.
        peak: The device's best rate of matrix products in TFLOP/s, by type.
    """
    store = FirstCases(replace(folder), cases_needed(recipe, plan.steps))  # reads the files anew for its digest
    torch.manual_seed(0)
    net = recipe.net.build(recipe.images.channels)
    task = Task(recipe, store, net, plan.device, plan.numerics)
    height, width = task.prepare(task.ids[0])[0].shape[
        -2:
    ]  # before anybody's time is taken: the first one takes longer
    entrants = [Entrant(kind) for kind in CONTENDERS]
    give_back()  # what an earlier recipe has left
    with tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, {"LLMSEG_CACHE": cache}):
        try:
            for entrant in entrants:
                entrant.enter(task)
            for _ in range(1 + plan.rounds):
                _run_round(entrants, plan.device)
            for entrant in entrants:
                entrant.memory = entrant.attempt(_measure_memory)
            return _make_row(task, (height, width), entrants, peak)
        finally:
            for entrant in entrants:
                entrant.attempt(lambda contender: contender.close())


def _run_round(entrants: Sequence[Entrant], device: torch.device) -> None:
    """Let every contender train and then predict all cases once."""
    for entrant in entrants:
        entrant.note("train", entrant.attempt(lambda contender: _time(contender.train, device)))
        entrant.attempt(lambda contender: contender.settle())
    for entrant in entrants:
        entrant.note("inference", entrant.attempt(lambda contender: _time(contender.predict, device)))


def _time(work: Callable[[], None], device: torch.device) -> float:
    synchronise(device)
    started = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - started


def _measure_memory(contender: Contender) -> int | None:
    """Train one more round under the clock; return the memory that training takes, in bytes."""

    def work() -> None:
        with contender.clock.watch():
            contender.train()

    kept = contender.kept_bytes()
    rise = memory_rise(work, contender.task.device)
    return None if rise is None else kept + rise


def _make_row(
    task: Task, size: tuple[int, int], entrants: Sequence[Entrant], peak: Mapping[str, float]
) -> dict[str, Any]:
    ours = entrants[-1]
    flops = step_flops(task.recipe, task.batch_size, size) / task.batch_size
    speed = {what: _speeds(entrants, what, len(task.ids)) for what in ("train", "inference")}
    trained = speed["train"]["ours"]
    return {
        "parameters": sum(weight.numel() for weight in task.net.parameters()),
        "batch_size": task.batch_size,
        "size": list(size),
        "images_per_second": speed,
        "ratios": ratios(speed["train"]),
        "inference_ratios": ratios(speed["inference"]),
        "share_outside_network": {
            e.name: e.attempt(lambda contender: 1 - contender.clock.share("network")) for e in entrants
        },
        "data_share": ours.attempt(lambda contender: contender.clock.share("data")),
        "peak_memory_mib": {e.name: None if e.memory is None else e.memory / 2**20 for e in entrants},
        "preparation_ms": {e.name: e.attempt(_preparation) for e in entrants},
        "gflop_per_image": flops / 1e9,
        "flop_share_of_peak": {
            name: None if trained is None else trained * flops / 1e12 / best for name, best in peak.items()
        },
        "warm_up_and_round_seconds": {e.name: e.seconds for e in entrants},
        "errors": {e.name: e.error for e in entrants if e.error},
    }


def _speeds(entrants: Sequence[Entrant], what: str, cases: int) -> dict[str, float | None]:
    medians = {entrant.name: entrant.median(what) for entrant in entrants}
    return {name: None if seconds is None else cases / seconds for name, seconds in medians.items()}


def _preparation(contender: Contender) -> float | None:
    """Return the milliseconds per case before the first step."""
    return None if contender.preparation is None else 1000 * contender.preparation


def ratios(speed: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return how many times as fast ours is as each of the others."""
    ours = speed["ours"]
    return {
        f"ours_vs_{name}": None if ours is None or other is None else ours / other
        for name, other in speed.items()
        if name != "ours"
    }


def geometric_mean(values: Sequence[float | None]) -> float | None:
    """Return the geometric mean of those that were measured."""
    logs = [math.log(value) for value in values if value is not None]
    return math.exp(statistics.fmean(logs)) if logs else None
