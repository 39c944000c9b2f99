"""The first stage of an admission: what the text of scripts shows before anything runs."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmseg.admission.hard_coded_paths import (
    DemandedArgument,
    HardCodedPath,
    find_demanded_arguments,
    find_paths,
)
from llmseg.admission.scripts import (
    Fault,
    Script,
    Scripts,
    is_main_guard,
    list_packages,
    list_undefined,
    read_scripts,
)
from llmseg.errors import UserError, nearest


@dataclass(frozen=True)
class MissingImport:
    """An import that cannot succeed.

    Attributes:
        name: What is imported.
        place: Where, as ``file:line``.
        reason: ``"not installed"`` for a package, ``"not defined"`` for a name that the script it is taken from does
            not have.

    Example:
        >>> MissingImport("torchinfo", "main.py:3", "not installed").name
        'torchinfo'
    """

    name: str
    place: str
    reason: str


@dataclass(frozen=True)
class StaticStage:
    """What the text of scripts shows.

    Attributes:
        folder: The folder.
        faults: The files that are no Python, with the line.
        packages: The packages from outside the standard library that are imported.
        missing: Imports that cannot succeed here and that nothing catches.
        entry: The file to start, empty if there is none or more than one.
        paths: Paths that the scripts have written into themselves.
        demanded: Arguments that they demand.

    Example:
        >>> stage = check_statically("answers/my-llm")  # doctest: +SKIP
        >>> stage.entry, [each.name for each in stage.missing]  # doctest: +SKIP
    """

    folder: Path
    faults: tuple[Fault, ...]
    packages: tuple[str, ...]
    missing: tuple[MissingImport, ...]
    entry: str
    paths: tuple[HardCodedPath, ...]
    demanded: tuple[DemandedArgument, ...]

    @property
    def passes(self) -> bool:
        """Whether the scripts can be started, once they are given their paths."""
        return not self.faults and not self.missing and bool(self.entry)

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold. The folder is left out."""
        facts = {name: value for name, value in asdict(self).items() if name != "folder"}
        return {"passes": self.passes, **facts}


def check_statically(folder: str | Path, start: Sequence[str] = ()) -> StaticStage:
    """Read scripts without running them: syntax, imports, the file to start, paths.

    Whether a package is installed is asked of this Python; the package is not imported.

    Args:
        folder: The folder of the scripts.
        start: The file to start and its arguments; empty for what the text shows.

    Raises:
        UserError: There is no such folder or no Python file in it, a file is too large, a link or no file, or the one
            to start is not there.

    Example:
        >>> check_statically("answers/my-llm").passes  # doctest: +SKIP
        True
    """
    scripts = read_scripts(folder)
    own = {script.module.split(".")[0] for script in scripts} | {
        fault.path.partition(".")[0] for fault in scripts.faults
    }
    imports = [each for script in scripts for each in _imports(script)]
    packages = {each.package for each in imports} - own - sys.stdlib_module_names
    installed = {package for package in packages if _is_installed(package)}
    missing = [
        MissingImport(each.package, each.place, "not installed")
        for each in imports
        if each.package in packages - installed and not each.is_caught
    ]
    undefined = (
        MissingImport(name, script.place(node), "not defined")
        for script, node, names in list_undefined(scripts)
        for name in sorted(set(names))
    )
    return StaticStage(
        scripts.folder,
        scripts.faults,
        tuple(sorted(packages)),
        (*dict.fromkeys(missing), *undefined),
        find_entry(scripts, start),
        find_paths(scripts),
        find_demanded_arguments(scripts),
    )


@dataclass(frozen=True)
class _Import:
    package: str
    place: str
    is_caught: bool


def _imports(script: Script) -> Iterator[_Import]:
    for node, package in list_packages(script):
        caught = any(isinstance(up, ast.Try) and _is_in(node, up.body) for up in script.above(node))
        yield _Import(package, script.place(node), caught)


def _is_in(node: ast.AST, body: list[ast.stmt]) -> bool:
    return any(node is inner for statement in body for inner in ast.walk(statement))


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # a module that was begun and not finished has no spec
        return False


def find_entry(scripts: Scripts, start: Sequence[str] = ()) -> str:
    """Return the file to start; empty if the text does not show which it is.

    It is main.py, otherwise the only file that asks whether it is run as a program, or train.py if that is one of
    several, otherwise the only file.

    Args:
        scripts: The scripts.
        start: The file to start and its arguments, if that is said.

    Raises:
        UserError: There is no such file.
    """
    paths = [script.path for script in scripts]
    if start:
        if start[0] not in [*paths, *(fault.path for fault in scripts.faults)]:
            hint = nearest(start[0], paths)
            raise UserError(f"{scripts.folder} has no {start[0]} to start{hint}; there are: {', '.join(paths)}")
        return start[0]
    if "main.py" in paths:
        return "main.py"
    guarded = [
        script.path
        for script in scripts
        if any(isinstance(node, ast.If) and is_main_guard(node) for node in script.tree.body)
    ]
    if "train.py" in guarded:
        return "train.py"
    candidates = guarded or paths
    return candidates[0] if len(candidates) == 1 else ""
