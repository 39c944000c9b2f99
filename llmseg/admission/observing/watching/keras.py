"""What a script trains with Keras: how it is fitted, and what a model weighs after each epoch and when it is scored.

Keras computes in graphs and may read files outside of Python. So images, masks and outputs are not seen.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.keras_values import (
    Tapes,
    digest_model,
    find_batch_size,
    is_computing,
    list_sizes,
    name_schedule,
    read_number,
    watch_batches,
)

Method = Callable[..., Any]

_SCORING = ("evaluate", "predict", "test_on_batch", "predict_on_batch")


def watch(journal: Journal, keras: ModuleType) -> None:
    """Record what models and optimizers of Keras do from now on."""
    Watching(journal, keras).watch()


class Watching:
    """What the models and optimizers of a process do."""

    def __init__(self, journal: Journal, keras: Any) -> None:
        self.journal = journal
        self._keras = keras
        self._inside = 0
        self._optimizer: weakref.ref[Any] | None = None
        self._losses: set[str] = set()
        self._has_input = False
        self._tapes = Tapes()
        self._loads = 0
        self._digested: tuple[Any, ...] = ()
        guarded = journal.guarded
        self._note_input = guarded(self._record_input)
        self._note_loss, self._note_step = guarded(self._record_loss), guarded(self._record_step)
        self._note_scored, self._note_called = guarded(self._record_scored), guarded(self._record_called)

    def watch(self) -> None:
        """Record from now on."""
        model, optimizer = self._keras.Model, self._keras.optimizers.Optimizer
        _wrap(model, "compile", self._compile)
        _wrap(model, "fit", self._fit)
        _wrap(model, "__call__", self._call)
        for name in _SCORING:
            _wrap(model, name, self._score)
        _wrap(model, "train_on_batch", self._train_on_batch)
        for name in ("load_weights", "set_weights"):
            _wrap(model, name, self._load)
        # In Keras 3 the one calls the other.
        _wrap(optimizer, "apply" if hasattr(optimizer, "apply") else "apply_gradients", self._step)
        _wrap(self._keras.losses.Loss, "__call__", self._compare)

    @contextmanager
    def _within(self) -> Iterator[None]:
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _compile(self, method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self._note_loss(_bind(method, model, arguments, named).get("loss"))
        return method(model, *arguments, **named)

    def _compare(self, method: Method, loss: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if not self._inside:
            self._note_loss(loss)
        return method(loss, *arguments, **named)

    def _record_loss(self, loss: Any) -> None:
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(loss).__name__
        if loss is not None and name not in self._losses:
            self._losses.add(name)
            self.journal.write("keras loss", name=name, place=self.journal.place())

    def _fit(self, method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        given = {} if self._inside else _bind(method, model, arguments, named)
        if not given:
            return method(model, *arguments, **named)
        self.journal.guarded(self._begin_fit)(given)
        with self._within():
            return method(model, **given)

    def _begin_fit(self, given: dict[str, Any]) -> None:
        """Write how a model is fitted, and have its batches and epochs written from now on."""
        callbacks = given.get("callbacks")
        listed = getattr(callbacks, "callbacks", callbacks) or ()
        listed = listed if isinstance(listed, list | tuple) else [listed]
        names = [type(each).__name__ for each in listed]
        self.journal.write("keras fit", epochs=given.get("epochs", 1), callbacks=names, place=self.journal.place())
        size = find_batch_size(given.get("x"), given.get("batch_size"))
        if size is not None:
            self._write_batch(size)
        else:
            given["x"] = watch_batches(given.get("x"), self.journal.guarded(self._write_batch))
        if callbacks is not None and callbacks is not listed and hasattr(callbacks, "append"):
            callbacks.append(self._make_callback())
        else:
            given["callbacks"] = [*listed, self._make_callback()]

    def _write_batch(self, size: int) -> None:
        self.journal.write("keras batch", size=size)

    def _make_callback(self) -> Any:
        def record_batch(logs: Any) -> None:
            loss = read_number((logs or {}).get("loss"))
            self.journal.write("keras trained", loss=loss, place=self.journal.place())

        def record_epoch(model: Any) -> None:
            sizes = getattr(model, "input_shape", None)
            place = self.journal.place()
            self.journal.write("keras epoch", weights=digest_model(model), shape=sizes, place=place)

        note_batch, note_epoch = self.journal.guarded(record_batch), self.journal.guarded(record_epoch)
        methods = {
            "on_train_batch_end": lambda own, batch, logs=None: note_batch(logs),
            "on_epoch_end": lambda own, epoch, logs=None: note_epoch(own.model),
            "on_test_begin": lambda own, logs=None: self._note_scored(own.model, True),
        }
        return type("Recorder", (self._keras.callbacks.Callback,), methods)()

    def _call(self, method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self._inside or not any(type(each).__name__ == "KerasTensor" for each in arguments):
            self._note_input()
        if self._inside:
            return method(model, *arguments, **named)
        with self._within():
            result = method(model, *arguments, **named)
        # Where a network is only put together, there are no numbers yet.
        if type(result).__name__ != "KerasTensor":
            self._note_called(model, [*arguments, *named.values()], named.get("training"))
        return result

    def _record_input(self) -> None:
        """Write once that a batch reaches a model, which may refuse it."""
        if not self._has_input:
            self._has_input = True
            self.journal.write("keras input", place=self.journal.place())

    def _record_called(self, model: Any, given: list[Any], training: bool | None) -> None:
        if training is None and len(given) > 1 and isinstance(given[1], bool):
            training = given[1]
        sizes = [None if side is None else int(side) for side in getattr(given[0] if given else None, "shape", ())]
        self.journal.write("keras call", shape=sizes, place=self.journal.place())
        learns = self._tapes.are_recording if training is None else training
        if not learns and is_computing() and self._steps():
            self._record_scored(model)

    def _score(self, method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if not self._inside:
            self._note_scored(model)
        with self._within():
            return method(model, *arguments, **named)

    def _record_scored(self, model: Any, is_validation: bool = False) -> None:
        """Write that a model is scored, with the digest of weights that may be others than at the last time."""
        state = id(model), self._steps(), self._loads
        digest = None if state == self._digested else digest_model(model)
        self._digested = state
        place = self.journal.place()
        self.journal.write("keras scored", steps=state[1], validates=is_validation, weights=digest, place=place)

    def _train_on_batch(self, method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with self._within():
            result = method(model, *arguments, **named)
        images = _bind(method, model, arguments, named).get("x")
        loss = read_number(result[0] if isinstance(result, list | tuple) else result)
        self.journal.guarded(self._record_trained)(images, loss)
        return result

    def _record_trained(self, images: Any, loss: float | None) -> None:
        self._write_batch(int(images.shape[0]))
        self.journal.write("keras trained", loss=loss, place=self.journal.place())

    def _load(self, method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self._loads += 1
        return method(model, *arguments, **named)

    def _step(self, method: Method, optimizer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        result = method(optimizer, *arguments, **named)
        if self._optimizer is None or self._optimizer() is not optimizer:
            self._optimizer = weakref.ref(optimizer)
            self._note_step(optimizer)
        return result

    def _record_step(self, optimizer: Any) -> None:
        """Write what an optimizer is when it steps for the first time, and the sizes of what it changes."""
        self.journal.write(
            "keras step",
            name=type(optimizer).__name__,
            rate=read_number(getattr(optimizer, "learning_rate", None)),
            schedule=name_schedule(optimizer),
            decay=read_number(getattr(optimizer, "weight_decay", None)),
            sizes=list_sizes(optimizer),
            place=self.journal.place(),
        )

    def _steps(self) -> int:
        """Return how often the optimizer has stepped."""
        optimizer = None if self._optimizer is None else self._optimizer()
        return int(read_number(getattr(optimizer, "iterations", None)) or 0)


def _wrap(owner: Any, name: str, around: Callable[[Method, Any, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Let a method be called by another function, which gets it with its object and arguments."""
    method = getattr(owner, name)

    # It keeps the module of the method, by which TensorFlow knows that it has nothing to convert here.
    @functools.wraps(method)
    def called(self: Any, *arguments: Any, **named: Any) -> Any:
        return around(method, self, arguments, named)

    setattr(owner, name, called)


def _bind(method: Method, model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments by their names; nothing if they do not fit."""
    try:
        bound = inspect.signature(method).bind(model, *arguments, **named).arguments
    except TypeError:
        return {}
    return {**{name: value for name, value in list(bound.items())[1:] if name != "kwargs"}, **bound.get("kwargs", {})}
