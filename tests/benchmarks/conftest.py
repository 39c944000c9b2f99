"""The scripts of the benchmarks are no package: they find each other in their own folder, as when they are run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def module() -> Iterator[Callable[[str], ModuleType]]:
    """A function that imports a module of the benchmarks by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), str(BENCHMARKS / "throughput"), *sys.path])
        yield importlib.import_module
