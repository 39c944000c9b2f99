"""The modules of ``benchmarks/gpu`` find each other, and those of the other benchmarks, as when ``run.py`` is run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

GPU = Path(__file__).parents[3] / "benchmarks" / "gpu"


@pytest.fixture(scope="session")
def gpu(module: Callable[[str], ModuleType]) -> Iterator[Callable[[str], ModuleType]]:
    """A function that imports a module of ``benchmarks/gpu`` by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(GPU))
        yield importlib.import_module
