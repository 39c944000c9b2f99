"""Observers: who is told what happens in a training, without being able to change it.

An observer only watches. A run has the same bytes with and without it:

- It is told an event after the files of the run have got it, and gets copies of what the training still needs.
- The state of torch's random generators is the same after it as before.
- If it raises an error, a line says so, it is told nothing more, and the training goes on.
"""

from __future__ import annotations

import copy
import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeAlias

import torch

from llmseg.errors import Terminated, UserError, escape_controls
from llmseg.files.notes import warn
from llmseg.training.events import Beginning, End, EvaluatedBatch, ObservedEvent, Step


class Observer(Protocol):
    """Somebody who is told what happens in a training, see ``observers`` of :func:`llmseg.train`.

    Events come in this order: a :class:`~llmseg.training.Beginning`; for each epoch its
    :class:`~llmseg.training.Step` events, the :class:`~llmseg.training.EvaluatedBatch` events of the validation and an
    :class:`~llmseg.training.Epoch`; the evaluated batches of the test; an :class:`~llmseg.training.End`.

    If a process is killed, its steps since the last checkpoint were told but not stored. The next call tells them
    again, after a :class:`~llmseg.training.Beginning` that says where it continues. A killed process tells no end.

    Example:
        >>> class LossPrinter:
        ...     def on_event(self, event):
        ...         if isinstance(event, Epoch):
        ...             print(f"epoch {event.index + 1}: {event.validation_loss:.3f}")
        >>> from llmseg.training import Epoch
        >>> LossPrinter().on_event(Epoch(0, 0.5, 0.25, (0.8,), 1e-3, 2.0))
        epoch 1: 0.250
    """

    def on_event(self, event: ObservedEvent) -> None:
        """Take note of what happened.

        Tensors of an event are on the device of the training. Reading their values on a GPU waits for what it is still
        computing, so read losses of steps when an epoch ends.
        """


Tell: TypeAlias = Callable[[ObservedEvent], None]


def check_observers(given: Observer | Iterable[Observer]) -> tuple[Observer, ...]:
    """Return the observers, of which one may be given alone.

    Raises:
        UserError: Something else is given than objects with a method ``on_event``.
    """
    single = hasattr(given, "on_event") or not isinstance(given, Iterable)
    observers: tuple[Observer, ...] = (given,) if single else tuple(given)  # type: ignore[arg-type, assignment]
    for observer in observers:
        method = getattr(observer, "on_event", None)
        name = observer.__name__ if isinstance(observer, type) else type(observer).__name__
        if isinstance(observer, type):
            raise UserError(f"the observer {name} is a class; give an object of it: {name}()")
        if not callable(method):
            raise UserError(f"an observer is an object with a method on_event(event), and this {name} has none")
        if inspect.iscoroutinefunction(method):
            raise UserError(f"on_event of the observer {name} is async, and nobody would wait for it; use a plain def")
    return observers


@contextmanager
def observe(observers: Iterable[Observer], begin: Callable[[], Beginning], device: torch.device) -> Iterator[Tell]:
    """Tell observers that a training begins, and after the block how it ended; give what tells them the rest.

    Args:
        observers: Who is told.
        begin: Returns the beginning; it is asked only if there are observers.
        device: The device of the training.
    """
    audience = _Audience(list(observers), device)
    if audience.observers:
        audience.tell(begin())
    try:
        yield audience.tell
    except BaseException as error:
        # What is no Exception ends the process, as Ctrl-C does, and the same call continues the run.
        stopped = isinstance(error, Terminated) or not isinstance(error, Exception)
        audience.tell(End("stopped" if stopped else "failed", str(error) or type(error).__name__))
        raise
    audience.tell(End("done"))


class _Audience:
    """The observers that still listen."""

    def __init__(self, observers: list[Observer], device: torch.device) -> None:
        self.observers, self._device = observers, device

    def tell(self, event: ObservedEvent) -> None:
        """Tell them an event; one that raises an error is told nothing more."""
        for observer in tuple(self.observers):
            generators = torch.get_rng_state(), self._read_gpu_generator()
            try:
                observer.on_event(_copy(event))
            except Exception as error:
                self.observers.remove(observer)
                warn(_describe(observer, error))
            finally:
                torch.set_rng_state(generators[0])
                if generators[1] is not None:
                    torch.cuda.set_rng_state(generators[1], self._device)

    def _read_gpu_generator(self) -> torch.Tensor | None:
        return torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None


def _copy(event: ObservedEvent) -> ObservedEvent:
    """Return an event in which nothing can be changed that the training still needs."""
    if isinstance(event, Step):
        return replace(event, loss=event.loss.clone())
    if isinstance(event, EvaluatedBatch):
        # The output is the largest, and nobody needs it any more.
        return replace(event, loss=event.loss.clone(), listed=event.listed.clone(), cases=event.cases.clone())
    if isinstance(event, Beginning):
        return replace(event, record=copy.deepcopy(event.record))
    return event


def _describe(observer: Observer, error: Exception) -> str:
    """Return a line that says which observer raised what, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    what = escape_controls(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    where = f"{Path(last.filename).name}, line {last.lineno}"
    name = type(observer).__name__
    return f"the observer {name} raised {what} ({where}); it is told nothing more, and the training goes on"
