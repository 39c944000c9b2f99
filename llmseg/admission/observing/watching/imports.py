"""Doing something as soon as a script has imported a module."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], object]


class _Finder(MetaPathFinder):
    """Finds nothing itself, but adds the waiting actions to what others find."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Action]] = {}
        self._asking: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.waiting or fullname in self._asking:
            return None
        self._asking.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking.discard(fullname)
        if spec is not None and spec.loader is not None:
            self._add(spec.loader)
        return spec

    def _add(self, loader: Loader) -> None:
        # A type checker sees a method here; that an instance may have its own is what this relies on.
        instance: Any = loader
        execute = instance.exec_module

        def execute_and_act(module: ModuleType) -> None:
            execute(module)
            # Only now: who asks whether a module is there, as some libraries do, has not imported it.
            _act(sys.modules.get(module.__name__, module), self.waiting.pop(module.__name__, []))

        instance.exec_module = execute_and_act


def _act(module: ModuleType, actions: list[Action]) -> None:
    for action in actions:
        try:
            action(module)
        except Exception as error:  # the script must run in any case
            print(f"llmseg: {module.__name__} is not observed: {error!r}", file=sys.stderr)


_FINDER = _Finder()


def after_import(name: str, action: Action) -> None:
    """Do something after a module was imported for the first time, at once if it was already.

    Args:
        name: The full name of the module.
        action: Gets the module.
    """
    if name in sys.modules:
        _act(sys.modules[name], [action])
        return
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    _FINDER.waiting.setdefault(name, []).append(action)
