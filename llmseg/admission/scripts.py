"""A folder of scripts as syntax trees, which are read and never imported."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmseg.errors import UserError, name_first
from llmseg.files import read_bytes, walk_folders
from llmseg.files.limits import Limit

SCRIPT_BYTES = Limit("LLMSEG_MAX_SCRIPT", 2**20, "bytes of a script")
"""The longest script of the study has 30 kB."""

SCRIPT_COUNT = Limit("LLMSEG_MAX_SCRIPTS", 200, "scripts")

# Folders that hold no script of the pipeline.
_PASSED_OVER = ("__pycache__", "venv", "env", "node_modules", "site-packages")


@dataclass(frozen=True, eq=False)
class Script:
    """A Python file.

    Attributes:
        path: Its path in the folder, with forward slashes.
        text: Its text.
        tree: Its syntax tree.
    """

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The name under which the others import it, such as ``"train"``."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, in the order of the text where they have one."""
        return tuple(sorted(ast.walk(self.tree), key=lambda node: (getattr(node, "lineno", 0), _column(node))))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node above each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for, as a dotted name: ``nn`` for ``torch.nn``."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                origin = node.module or ""
                names.update({alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names})
        return names

    def place(self, node: ast.AST) -> str:
        """Return where a node stands, as ``file:line``."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def dotted(self, node: ast.AST) -> str:
        """Return the full dotted name of an expression, empty if it is none.

        The first word is replaced by what it was imported as.
        """
        words: list[str] = []
        while isinstance(node, ast.Attribute):
            words.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            words.append(self.imported.get(node.id, node.id))
        elif words:
            words.append("")  # a method of what a call or an index gives
        return ".".join(reversed(words))

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes that hold a node, from the nearest outwards."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def function_of(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Return the innermost function that holds a node."""
        return next((up for up in self.above(node) if isinstance(up, ast.FunctionDef | ast.AsyncFunctionDef)), None)


def _column(node: ast.AST) -> int:
    return int(getattr(node, "col_offset", 0))


@dataclass(frozen=True)
class Fault:
    """Why a file cannot be read as Python.

    Attributes:
        path: The file, as a path in the folder.
        line: The line, 0 if none is at fault.
        reason: What is wrong, in a few words.
    """

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}" if self.line else f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class Scripts:
    """The Python files of a folder and of those below it.

    Attributes:
        folder: The folder.
        scripts: Those that can be parsed, by path.
        faults: Why the others cannot.
    """

    folder: Path
    scripts: tuple[Script, ...]
    faults: tuple[Fault, ...]

    def __iter__(self) -> Iterator[Script]:
        return iter(self.scripts)

    def get(self, module: str) -> Script | None:
        """Return the script of a module, such as ``"main"``, or ``None``."""
        return next((script for script in self.scripts if script.module == module), None)


def read_scripts(folder: str | Path) -> Scripts:
    """Read the Python files of a folder and of those below it. Nothing is imported or run.

    Hidden folders and virtual environments are passed over.

    Args:
        folder: The folder.

    Raises:
        UserError: There is no such folder or no Python file in it, or a file is too large, a link or no file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; give the folder that holds main.py")
    paths = sorted(path for path in _list_python(folder))
    if not paths:
        raise UserError(f"{folder} holds no Python file; give the folder that holds main.py")
    SCRIPT_COUNT.check(len(paths), f"{folder} has")
    read = [_parse(folder, path) for path in paths]
    return Scripts(
        folder,
        tuple(each for each in read if isinstance(each, Script)),
        tuple(each for each in read if isinstance(each, Fault)),
    )


def _list_python(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for inner, name in walk_folders(folder, lambda name: not name.startswith(".") and name not in _PASSED_OVER):
        path = Path(inner, name)
        if path.suffix != ".py":
            continue
        if path.is_symlink() or not path.resolve().is_relative_to(root):
            raise UserError(f"{path} is a link or lies behind one; put a copy of the file in its place")
        yield path


def _parse(folder: Path, path: Path) -> Script | Fault:
    name = path.relative_to(folder).as_posix()
    if path.is_file():
        SCRIPT_BYTES.check(path.stat().st_size, f"{path} has")
    content = read_bytes(path)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return Fault(name, 0, "is not UTF-8")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the scripts' own odd escapes
            return Script(name, text, ast.parse(text, filename=name))
    except SyntaxError as error:
        return Fault(name, error.lineno or 0, f"{error.msg}")
    except (ValueError, RecursionError, MemoryError):
        return Fault(name, 0, "cannot be parsed")


def check_parsed(scripts: Scripts) -> None:
    """Refuse scripts of which one cannot be parsed.

    Raises:
        UserError: The files and lines that cannot.
    """
    if scripts.faults:
        raise UserError(f"{scripts.folder}: {name_first(scripts.faults)}; mend it, or ask for the file again")


def list_packages(script: Script) -> Iterator[tuple[ast.AST, str]]:
    """Yield every import of a script with the package that it names; modules beside it are packages, too."""
    for node in script.nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node, (node.module or "").split(".")[0]


def list_undefined(scripts: Scripts) -> Iterator[tuple[Script, ast.AST, list[str]]]:
    """Yield every import of a script from another one, with the names in it that the other one does not define."""
    for script in scripts:
        for node in script.nodes:
            origin = scripts.get(node.module or "") if isinstance(node, ast.ImportFrom) else None
            if isinstance(node, ast.ImportFrom) and origin is not None:
                known = defined_names(origin) | {"*"}
                yield script, node, [alias.name for alias in node.names if alias.name not in known]


def is_main_guard(node: ast.If) -> bool:
    """Return whether a condition asks if the file is run as a program."""
    words = {inner.id for inner in ast.walk(node.test) if isinstance(inner, ast.Name)}
    return "__name__" in words


def defined_names(script: Script) -> set[str]:
    """Return the names that a script defines or imports, anywhere in it."""
    names = set(script.imported)
    for node in script.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names
