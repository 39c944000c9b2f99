"""Where random numbers begin: the seeds that a script sets, those of MONAI, and torch's generator for a network."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

from llmseg.admission.observing.watching.imports import after_import
from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.passes import Passes


def watch(journal: Journal, passes: Passes) -> None:
    """Record from now on which seeds are set, and keep the generator's state from when each module was made."""
    for name, owner, function in (
        ("torch", torch, "manual_seed"),
        ("numpy", np.random, "seed"),
        ("random", random, "seed"),
    ):
        _watch_seed(journal, name, owner, function)
    after_import("monai.transforms.transform", _seed_monai)
    module: Any = torch.nn.Module
    make = module.__init__
    note = journal.guarded(passes.note_made)

    @functools.wraps(make)
    def making(self: torch.nn.Module, *arguments: Any, **named: Any) -> None:
        note(self)
        make(self, *arguments, **named)

    module.__init__ = making


def _watch_seed(journal: Journal, name: str, owner: Any, function: str) -> None:
    seed: Callable[..., Any] = getattr(owner, function)

    def record(value: Any) -> None:
        place = journal.place()
        if place:
            journal.write("seed", of=name, seed=value if isinstance(value, int) else None, place=place)

    note = journal.guarded(record)

    @functools.wraps(seed)
    def seeding(*arguments: Any, **named: Any) -> Any:
        note(next(iter([*arguments, *named.values()]), None))
        return seed(*arguments, **named)

    setattr(owner, function, seeding)


def _seed_monai(module: ModuleType) -> None:
    """Let transforms of MONAI to which no seed is given draw the same numbers in every run.

    They take a seed from the computer otherwise, each its own, and no other seed changes that.
    """
    randomizable, seeds = module.Randomizable, itertools.count(1)
    seeding = randomizable.set_random_state
    randomizable.R.seed(0)

    @functools.wraps(seeding)
    def set_random_state(self: Any, seed: int | None = None, state: Any = None) -> Any:
        return seeding(self, next(seeds) if seed is None and state is None else seed, state)

    randomizable.set_random_state = set_random_state
