"""What training costs against the number of cases: per image, and in memory.

Cases are phantoms of a small pool, read from memory, so that the library's own work is measured and not the decoding.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from device_limits import give_back, resident_bytes
from PIL import Image
from torch.utils.data import DataLoader

import llmseg
from llmseg.data import PreparedCases, cache_entries, prepare_cached
from llmseg.recipe import Images

POOL = 16
BATCH_SIZE = 16
BATCHES = 200


@dataclass(frozen=True)
class Repeated:
    """A store of any size from few phantoms: its cases are the same few again and again.

    Attributes:
        pool: The phantoms.
        count: Number of cases.
    """

    pool: tuple[llmseg.data.Case, ...]
    count: int

    @property
    def name(self) -> str:
        """A name with the number of cases."""
        return f"repeated-{self.count}"

    @property
    def ids(self) -> tuple[str, ...]:
        """Numbers."""
        return tuple(f"{number:07d}" for number in range(self.count))

    @property
    def groups(self) -> Mapping[str, str]:
        """Each case is a group of its own."""
        return {id: id for id in self.ids}

    @property
    def digest(self) -> str:
        """SHA-256 of the name."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def read(self, id: str) -> llmseg.data.Case:
        """Return a phantom."""
        return self.pool[int(id) % len(self.pool)]


def phantom_pool(modality: str, pixels: int) -> tuple[llmseg.data.Case, ...]:
    """Return a few square phantoms."""
    store = llmseg.SyntheticStore(modality, count=POOL)
    return tuple(_square(store.read(id), pixels) for id in store.ids)


def _square(case: llmseg.data.Case, pixels: int) -> llmseg.data.Case:
    image, mask = (
        np.asarray(Image.fromarray(values).resize((pixels, pixels), Image.Resampling.NEAREST))
        for values in (case.image, case.mask)
    )
    return llmseg.data.Case(case.id, image, mask)


def measure_cost(images: Images, pool: tuple[llmseg.data.Case, ...], count: int) -> dict[str, Any]:
    """Build the cache for so many cases, open it in memory and from disk, and make batches.

    Args:
        images: The preparation.
        pool: What the cases are made of.
        count: Number of cases.
    """
    store = Repeated(pool, count)
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"LLMSEG_CACHE": folder}):
        started = time.perf_counter()
        prepare_cached(store, images)
        build = time.perf_counter() - started
        (entry,) = cache_entries()
        return {
            "cases": count,
            "build_ms_per_case": 1000 * build / count,
            "disk_kib_per_case": entry.nbytes / 1024 / count,
            "in_memory": _measure_use(store, images, memory=2**60),
            "on_disk": _measure_use(store, images, memory=0),
        }


def _measure_use(store: Repeated, images: Images, memory: int) -> dict[str, float]:
    """Open the cache and make batches.

    Args:
        store: The cases, which the cache has.
        images: The preparation.
        memory: Bytes of memory that the machine seems to have: a cache that takes too much of it stays on disk.
    """
    give_back()
    before = {name: resident_bytes(name) for name in ("RssAnon", "RssFile")}
    started = time.perf_counter()
    with mock.patch("psutil.virtual_memory", return_value=SimpleNamespace(total=memory)):
        prepared = prepare_cached(store, images)
    opened = time.perf_counter()
    prepared.batch(prepared.ids[:1], torch.device("cpu"))  # notes where each case is
    noted = time.perf_counter()
    order, batch = _per_image(prepared)
    give_back()
    risen = {name: (resident_bytes(name) - bytes) / 2**20 for name, bytes in before.items()}
    return {
        "open_ms": 1000 * (opened - started),
        "first_batch_ms": 1000 * (noted - opened),
        "order_us_per_image": 1e6 * order,
        "batch_us_per_image": 1e6 * batch,
        "own_memory_mib": risen["RssAnon"],
        "mapped_memory_mib": risen["RssFile"],
    }


def _per_image(prepared: PreparedCases) -> tuple[float, float]:
    """Return the seconds per image for drawing an epoch's order and for making batches in such an order."""
    started = time.perf_counter()
    order = list(DataLoader(prepared.ids, batch_size=BATCH_SIZE, shuffle=True, collate_fn=list))
    drawn = time.perf_counter() - started
    batches = (order * BATCHES)[:BATCHES] if len(order) < BATCHES else random.Random(0).sample(order, BATCHES)
    started = time.perf_counter()
    for ids in batches:
        prepared.batch(ids, torch.device("cpu"))
    made = time.perf_counter() - started
    return drawn / len(prepared.ids), made / sum(map(len, batches))


def measure_costs(images: Images, modality: str, pixels: int, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Return the cost for several numbers of cases, after a small store that does not count."""
    pool = phantom_pool(modality, pixels)
    measure_cost(images, pool, 2 * POOL)
    return [measure_cost(images, pool, count) for count in counts]
