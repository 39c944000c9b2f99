"""Whether trainings in bf16 learn what trainings in float32 learn; see ``benchmarks/fast_numerics.py``."""

from __future__ import annotations

import argparse
import functools
import os
from typing import Any

from fast_numerics import compare_twins
from setting import Setting
from workers import Item

import llmseg
from llmseg.training import choose_numerics

DOUBTFUL = ("deepseek-v3", "mistral-medium-3", "github-copilot", "gemini-2.5-pro", "bing-copilot")
"""The pipelines that left the band on a CPU, or were at its border, after two epochs or after eight."""

AS_ON_CPU = {"size": 64, "cases": 16, "epochs": 8, "starts": 2, "band": 0.5}
"""The settings of ``results/equivalence_bf16_longer.json``, which was measured on a CPU."""

OWN_SIZE = {"size": 256, "cases": 32, "epochs": 8, "starts": 1, "band": 0.5}


def count_workers(setting: Setting) -> int:
    """Return how many items run at once; nothing is timed, and drawing weights keeps a processor busy."""
    return 1 if setting.small else max(1, min(4, (os.cpu_count() or 1) // 4))


def list_items(setting: Setting) -> list[Item]:
    """Return the items, the most important first."""
    if setting.small:
        small = {"size": 64, "cases": 12, "epochs": 2, "starts": 1, "band": 0.5}
        return [Item("llama-3.1-405b", 10, functools.partial(compare, setting, "llama-3.1-405b", small))]
    names = _sort_pipelines()
    return [
        *(Item(name, 12, functools.partial(compare, setting, name, AS_ON_CPU)) for name in names),
        *(Item(f"{name}, own size", 15, functools.partial(compare, setting, name, OWN_SIZE)) for name in names),
    ]


def _sort_pipelines() -> list[str]:
    """Return the nineteen: the doubtful ones first, then those that train with a high rate."""
    rates = {name: llmseg.zoo.get(name).recipe.fit.rate for name in llmseg.zoo.names()}
    others = [name for name in rates if name not in DOUBTFUL]
    return [*DOUBTFUL, *sorted(others, key=lambda name: -rates[name])]


def compare(setting: Setting, name: str, how: dict[str, Any]) -> dict[str, Any]:
    """Train the twins of a pipeline on the device; ``verdict`` says whether bf16 stays in the band."""
    fast = choose_numerics(setting.device, "bf16")
    row = compare_twins(name, fast, setting.device, argparse.Namespace(**how))
    return {"settings": how, "numerics": str(fast), **row}
