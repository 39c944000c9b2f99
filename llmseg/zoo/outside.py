"""Pipelines from outside the package: of a Python file that is named, and of installed packages that announce some."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

from llmseg.errors import UserError
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.registry import is_registered, register

GROUP = "llmseg.pipelines"
"""The group of entry points in which a package announces its pipelines."""


_imported: dict[str, None] = {}


def imported_files() -> tuple[str, ...]:
    """Return the files that :func:`import_file` has run in this process, as they were named."""
    return tuple(_imported)


def import_file(path: str | Path) -> ModuleType:
    """Run a Python file that registers pipelines, or defines parts that a recipe is made of; once per process.

    Args:
        path: The file. It may import what lies beside it.

    Raises:
        UserError: There is no such file, or it ends in an error.

    Example:
        >>> import_file("my_pipeline.py")  # doctest: +SKIP
    """
    named, path = str(path), Path(path).resolve()
    if not path.is_file() or path.suffix != ".py":
        raise UserError(f"no Python file {path} to import")
    earlier = sys.modules.get(path.stem)
    if earlier is not None and getattr(earlier, "__file__", None) == str(path):
        return earlier
    # Under its own name, as `import` would, so that what it defines can be pickled; not in place of another module.
    name = path.stem if earlier is None else f"{path.stem}_{abs(hash(path)):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"no Python file {path} to import")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UserError(f"{path} cannot be imported: {_describe(error, path)}") from error
    _imported[named] = None
    return module


def load_installed() -> Iterator[str]:
    """Register the pipelines of installed packages; a package announces them as entry points of :data:`GROUP`.

    An entry point is a pipeline, several of them, or a module that registers some.

    Yields:
        What is wrong with a package, a line each: a package that is broken must not take the others away.

    Example:
        >>> list(load_installed())  # doctest: +SKIP
    """
    for entry in metadata.entry_points(group=GROUP):
        try:
            for pipeline in _list_pipelines(entry.load()):
                if not is_registered(pipeline):
                    register(pipeline)
        except Exception as error:
            package = entry.dist.name if entry.dist else "a package"
            yield f"{package}: entry point {entry.name} = {entry.value} gives no pipelines: {_describe(error)}"


def _list_pipelines(given: object) -> list[Pipeline]:
    if isinstance(given, ModuleType):
        return []  # to import it was enough
    pipelines = []
    for item in [given] if isinstance(given, str) or not isinstance(given, Iterable) else given:
        if not isinstance(item, Pipeline):
            raise UserError(f"{type(item).__name__} is no llmseg.zoo.Pipeline")
        pipelines.append(item)
    return pipelines


def _describe(error: Exception, path: Path | None = None) -> str:
    """Return an error in one line, with the line of the file in which it happened."""
    message = " ".join(str(error).split())
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{message}" if isinstance(error, UserError) else f"{where}{type(error).__name__}: {message}"
