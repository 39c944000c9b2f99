"""What libraries have removed since scripts were written against them, put back.

That a script was written for an older version is no fault of its author. Each help is written down.
"""

from __future__ import annotations

import functools
import inspect
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

from llmseg.admission.observing.watching.journal import Journal

_NUMPY = {
    "float": float,
    "int": int,
    "bool": bool,
    "object": object,
    "str": str,
    "complex": complex,
    "Inf": float("inf"),
}
"""Names that numpy had for things of Python."""


def help_torch(journal: Journal, torch: ModuleType) -> None:
    """Let schedules be given ``verbose``, and whole networks be loaded, as some versions ago."""
    note = journal.guarded(lambda what: journal.write("helped", what=what, place=journal.place()))
    for schedule in list(vars(torch.optim.lr_scheduler).values()):
        if isinstance(schedule, type) and "__init__" in vars(schedule):
            _drop(schedule, "verbose", note)
    load = torch.load

    @functools.wraps(load)
    def loading(f: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return load(f, *arguments, **named)
        except pickle.UnpicklingError:
            if "weights_only" in named:
                raise
            note("torch.load with weights_only=False, its default until torch 2.5")
            if hasattr(f, "seek"):
                f.seek(0)
            return load(f, *arguments, weights_only=False, **named)

    torch.__dict__["load"] = loading


def _drop(owner: Any, argument: str, note: Callable[..., None]) -> None:
    """Let a class be given an argument that it has no more."""
    make = owner.__init__
    parameters = inspect.signature(make).parameters
    if argument in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return

    @functools.wraps(make)
    def making(self: Any, *arguments: Any, **named: Any) -> None:
        if argument in named:
            del named[argument]
            note(f"{owner.__name__} without '{argument}', which it has no more")
        make(self, *arguments, **named)

    owner.__init__ = making


def help_numpy(journal: Journal, numpy: ModuleType) -> None:
    """Let ``np.float`` and the like stand for what they stood for until numpy 1.23."""
    note = journal.guarded(lambda what: journal.write("helped", what=what, place=journal.place()))
    find = getattr(numpy, "__getattr__", None)

    def finding(name: str) -> Any:
        if name in _NUMPY and name not in vars(numpy):
            note(f"np.{name}, which numpy has no more")
            return _NUMPY[name]
        if find is None:
            raise AttributeError(f"module 'numpy' has no attribute '{name}'")
        return find(name)

    numpy.__dict__["__getattr__"] = finding
