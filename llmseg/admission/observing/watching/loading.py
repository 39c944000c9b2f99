"""Loaders, and the random numbers of their workers."""

from __future__ import annotations

import functools
import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data.dataloader import _BaseDataLoaderIter

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.tensors import list_tensors, to_array

_PICTURE = 3
_DEEPEST, _MOST_INNER = 4, 20


def watch(journal: Journal) -> None:
    """Record loaders from now on."""
    loaders: list[DataLoader[Any]] = []
    current: dict[int, DataLoader[Any]] = {}
    owner: Any = DataLoader
    iterator_of: Any = _BaseDataLoaderIter
    make, begin, give = owner.__init__, owner._get_iterator, iterator_of.__next__

    def record_made(loader: DataLoader[Any]) -> None:
        loaders.append(loader)
        journal.write(
            "loader",
            loader=len(loaders) - 1,
            items=_count(loader.dataset),
            batch_size=loader.batch_size,
            sampler=type(loader.sampler).__name__,
            workers=loader.num_workers,
            drops_last=loader.drop_last,
            place=journal.place(),
        )

    def record_begin(loader: DataLoader[Any]) -> None:
        state = hashlib.sha256(to_array(torch.get_rng_state()).tobytes()).hexdigest()
        journal.write("iterate", loader=_number(loaders, loader), generator=state, place=journal.place())

    def record_batch(loader: DataLoader[Any] | None, batch: Any) -> None:
        first = next((each for each in list_tensors(batch) if each.dim() >= _PICTURE), None)
        kept = None if first is None else journal.keep(to_array(first))
        journal.write("batch", loader=_number(loaders, loader), images=kept)

    note_made, note_begin, note_batch = (journal.guarded(each) for each in (record_made, record_begin, record_batch))

    @functools.wraps(make)
    def making(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        note_made(self)

    @functools.wraps(begin)
    def beginning(self: Any) -> Any:
        note_begin(self)
        if not self.num_workers:
            iterator = begin(self)
        else:
            own = self.worker_init_fn
            self.worker_init_fn = _RecordedStart(journal, own)
            try:
                iterator = begin(self)
            finally:
                self.worker_init_fn = own
        current[id(iterator)] = self
        return iterator

    @functools.wraps(give)
    def giving(self: Any) -> Any:
        batch = give(self)
        note_batch(current.get(id(self)), batch)
        return batch

    owner.__init__ = making
    owner._get_iterator = beginning
    iterator_of.__next__ = giving


def _count(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except TypeError:  # it has no length, or what it holds has none
        return None


def _number(loaders: list[DataLoader[Any]], loader: DataLoader[Any] | None) -> int | None:
    return next((number for number, known in enumerate(loaders) if known is loader), None)


class _RecordedStart:
    """The start of a worker, after which the state of its generators is written down."""

    def __init__(self, journal: Journal, start: Callable[[int], None] | None) -> None:
        self._journal = journal
        self._start = start

    def __call__(self, worker: int) -> None:
        if self._start is not None:
            self._start(worker)
        self._journal.guarded(self._record)(worker)

    def _record(self, worker: int) -> None:
        states = {"random": random.getstate(), "torch": torch.random.get_rng_state().tolist()}
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            states["numpy"] = numpy.random.get_state(legacy=False)["state"]
        states |= self._find_own()
        digests = {name: hashlib.sha256(repr(state).encode()).hexdigest()[:16] for name, state in states.items()}
        self._journal.write("worker", worker=worker, states=digests)

    def _find_own(self) -> dict[str, Any]:
        """Return the states of the generators that the worker's copy of the dataset holds, if it holds some."""
        info = get_worker_info()
        states = [] if info is None else list(_list_states(info.dataset, self._journal, _DEEPEST))
        return {"own": states} if states else {}


def _list_states(value: Any, journal: Journal, depth: int) -> Iterator[Any]:
    """Yield the states of generators in a value, in containers, and in objects of the scripts, of torch and MONAI.

    Other libraries may seed theirs when they are first used.
    """
    if isinstance(value, random.Random):
        yield value.getstate()
    elif isinstance(value, torch.Generator):
        yield value.get_state().tolist()
    elif isinstance(value, np.random.RandomState):
        yield value.get_state(legacy=False)["state"]
    elif isinstance(value, np.random.Generator):
        yield value.bit_generator.state
    elif depth:
        for inner in _list_inner(value, journal):
            yield from _list_states(inner, journal, depth - 1)


def _list_inner(value: Any, journal: Journal) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value[:_MOST_INNER])
    if isinstance(value, dict):
        return list(value.values())[:_MOST_INNER]
    module = type(value).__module__
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    is_known = module.partition(".")[0] in ("monai", "torch") or journal.is_own(file)
    return list(getattr(value, "__dict__", {}).values()) if is_known else []
