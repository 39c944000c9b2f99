"""What objects of Keras say of themselves: numbers, weights, and how large batches are."""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

_BATCH_SIZE = 32
"""What ``fit`` takes if an array is given without a size of batches."""

_WATCHED: set[type] = set()


def is_computing() -> bool:
    """Return whether numbers are computed now; otherwise a graph is put together, in which they will be."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is None or bool(tensorflow.executing_eagerly())


class Tapes:
    """The tapes of TensorFlow that record at the moment, by which a script goes backward later."""

    def __init__(self) -> None:
        self._count = 0
        self._kind: Any = None

    @property
    def are_recording(self) -> bool:
        """Whether one does. They are watched from the first time that this is asked."""
        kind = getattr(sys.modules.get("tensorflow"), "GradientTape", None)
        if kind is not None and self._kind is None:
            self._kind = kind
            self._watch("__enter__", 1)
            self._watch("__exit__", -1)
        return self._count > 0

    def _watch(self, name: str, change: int) -> None:
        method = getattr(self._kind, name)

        @functools.wraps(method)
        def called(tape: Any, *arguments: Any) -> Any:
            # One may have begun before the first was watched.
            self._count = max(self._count + change, 0)
            return method(tape, *arguments)

        setattr(self._kind, name, called)


def _outside() -> AbstractContextManager[Any]:
    """Return a context in which values can be read also while a graph is put together."""
    tensorflow = sys.modules.get("tensorflow")
    context: AbstractContextManager[Any] = nullcontext() if tensorflow is None else tensorflow.init_scope()
    return context


def to_array(value: Any) -> np.ndarray[Any, Any]:
    """Return the numbers of a variable or tensor."""
    with _outside():
        value = getattr(value, "value", value)
        value = value() if callable(value) else value
        value = value.detach().cpu() if hasattr(value, "detach") else value
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def read_number(value: Any) -> float | None:
    """Return a number, a variable or a tensor of one number as a float; ``None`` for what is none of them."""
    if value is None or callable(value):
        return None
    try:
        array = to_array(value)
        # As it is written: the 0.001 of a float32 is no number of Python.
        return float(str(array.reshape(-1)[0])) if array.size == 1 else None
    except Exception:  # such as a rate that only a graph can compute
        return None


def digest_model(model: Any) -> str:
    """Return the SHA-256 of all weights of a model, in their order."""
    total = hashlib.sha256()
    for weight in model.weights:
        total.update(np.ascontiguousarray(to_array(weight)).tobytes())
    return total.hexdigest()


def list_sizes(optimizer: Any) -> list[int]:
    """Return how many numbers each variable has that an optimizer changes."""
    for name in ("_trainable_variables", "trainable_variables"):
        variables = getattr(optimizer, name, None)
        if isinstance(variables, list | tuple) and variables:
            return [int(np.prod([int(side) for side in each.shape])) for each in variables]
    return []


def name_schedule(optimizer: Any) -> str | None:
    """Return the schedule that gives an optimizer its rate, by the name of its class."""
    rate = getattr(optimizer, "_learning_rate", None)
    return type(rate).__name__ if callable(rate) and hasattr(rate, "get_config") else None


def watch_batches(given: Any, note: Callable[[int], None]) -> Any:
    """Return what ``fit`` is to be given in place of its data, so that the size of each batch is noted.

    Args:
        given: The data: a sequence that makes batches, or a generator of batches.
        note: Is told the sizes.
    """
    if isinstance(given, types.GeneratorType):
        return _watch_generator(given, note)
    elif hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        _watch_sequence(type(given), note)
    return given


def find_batch_size(given: Any, size: int | None) -> int | None:
    """Return how large the batches are that ``fit`` makes of its data; ``None`` if only the batches tell.

    Args:
        given: The data: an array, or a dataset of TensorFlow or loader of torch, which know it.
        size: The size of batches that ``fit`` was told.
    """
    first = given[0] if isinstance(given, list | tuple) and given else given
    if hasattr(first, "shape") or isinstance(given, dict):
        return size or _BATCH_SIZE
    while given is not None and given.__class__.__module__.startswith("tensorflow."):
        found = read_number(getattr(given, "_batch_size", None))
        if found is not None:
            return int(found)
        given = getattr(given, "_input_dataset", None)
    own = getattr(given, "batch_size", None)
    # A loader of torch keeps its size under a name that means nothing else.
    return own if isinstance(own, int) and type(given).__module__.startswith("torch.") else None


def _measure(batch: Any) -> int | None:
    while isinstance(batch, list | tuple) and batch:
        batch = batch[0]
    return next((int(side) for side in getattr(batch, "shape", ())), None)


def _watch_generator(batches: Iterator[Any], note: Callable[[int], None]) -> Iterator[Any]:
    for batch in batches:
        size = _measure(batch)
        if size is not None:
            note(size)
        yield batch


def _watch_sequence(kind: Any, note: Callable[[int], None]) -> None:
    """Note the size of each batch that objects of a class give, also if they are given again and again."""
    if kind in _WATCHED:
        return
    _WATCHED.add(kind)
    give = kind.__getitem__

    @functools.wraps(give)
    def giving(self: Any, *arguments: Any) -> Any:
        batch = give(self, *arguments)
        size = _measure(batch)
        if size is not None:
            note(size)
        return batch

    kind.__getitem__ = giving
