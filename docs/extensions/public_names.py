"""The reference of the API: which names are public, on which page each stands, and where references to it lead.

A public name is one that ``llmseg`` or one of its namespaces lists in ``__all__``. Some are listed twice, such as
``llmseg.FolderStore`` and ``llmseg.data.FolderStore``; they have one page, under the shorter name. Docstrings refer to
each other by the short names of the module in which they stand. Sphinx sees every object where it is public and would
not find them, so they are completed here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pydoc
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

PACKAGE = "llmseg"
FOLDER = "reference/api"

_COLON = "\ue000"
"""A character that no docstring has."""

_REFERENCE = re.compile(r":(class|func|meth|attr|data|mod|exc):`(~?)([\w.]+)`")


@cache
def list_names(namespace: str = PACKAGE) -> dict[str, Any]:
    """Return the public names below a namespace, namespaces included, each with its value."""
    module = importlib.import_module(namespace)
    names: dict[str, Any] = {}
    for name in sorted(_listed(module), key=str.lower):
        full, value = f"{namespace}.{name}", getattr(module, name)
        names[full] = value
        if isinstance(value, ModuleType):
            names |= list_names(full)
    return names


def _listed(module: ModuleType) -> list[str]:
    """Return what a module lists; of one without a list, the functions and classes that are its own."""
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return list(getattr(module, "__all__", [name for name in own if not name.startswith("_")]))


@cache
def find_homes() -> dict[str, str]:
    """Return the name under which each public name has its page: the shortest name of the same object."""
    names = list_names()
    shortest: dict[int, str] = {}
    for name in sorted(names, key=lambda name: (name.count("."), name)):
        shortest.setdefault(id(names[name]), name)
    return {name: shortest[id(value)] for name, value in names.items()}


def group_names() -> dict[str, dict[str, list[str]]]:
    """Return what stands on the page of each namespace: namespaces in it, its own names, names with pages elsewhere."""
    namespaces = [PACKAGE, *(name for name, value in list_names().items() if isinstance(value, ModuleType))]
    pages: dict[str, dict[str, list[str]]] = {
        namespace: {"namespaces": [], "own": [], "elsewhere": []} for namespace in namespaces
    }
    for name, home in find_homes().items():
        namespace = name.rpartition(".")[0]
        is_namespace = isinstance(list_names()[name], ModuleType)
        kind = "namespaces" if is_namespace else "own" if home == name else "elsewhere"
        pages[namespace][kind].append(home if kind == "elsewhere" else name.rpartition(".")[2])
    return pages


def page_names() -> dict[str, str]:
    """Return names of files for names that differ in case only, because some file systems take them for one."""
    homes = sorted(set(find_homes().values()))
    times = Counter(name.lower() for name in homes)
    return {name: f"{name}-class" for name in homes if times[name.lower()] > 1 and name.rpartition(".")[2][0].isupper()}


def find_page(target: str, owner: Any) -> str | None:
    """Return under which name the object to which a docstring refers has its page.

    Args:
        target: What stands in the docstring: a dotted name from the package, or a short one.
        owner: What has the docstring.

    Returns:
        That name, with the name of a method behind it if one is meant. Empty for what is not public, ``None`` for what
        is not there.
    """
    module = owner.__name__ if isinstance(owner, ModuleType) else getattr(owner, "__module__", PACKAGE)
    class_name = getattr(owner, "__qualname__", "").partition(".")[0]
    for name in (target, f"{module}.{class_name}.{target}", f"{module}.{target}"):
        value = pydoc.locate(name)
        if value is not None:
            return _home_of(value) or _home_of_member(name)
    return None


def _home_of(value: object) -> str:
    return next((find_homes()[name] for name, public in list_names().items() if public is value), "")


def _home_of_member(name: str) -> str:
    above, _, last = name.rpartition(".")
    owner = pydoc.locate(above) if above else None
    home = _home_of(owner) if inspect.isclass(owner) else ""
    return f"{home}.{last}" if home else ""


def complete_references(app: Sphinx, what: str, name: str, owner: Any, options: Any, lines: list[str]) -> None:
    """Let the references of a docstring lead to pages; those to what is not public become words."""

    def complete(match: re.Match[str]) -> str:
        role, _, target = match.groups()
        page = find_page(target, owner)
        if page is None:
            return match[0]
        return f":{role}:`{target} <{page}>`" if page else f"``{target}``"

    lines[:] = [_REFERENCE.sub(complete, line) for line in lines]


def say_what_constants_are(app: Sphinx, what: str, name: str, owner: Any, options: Any, lines: list[str]) -> None:
    """Give a constant the text below it in the module in which it is defined; Sphinx finds the text of its class."""
    if what == "data" and name in find_homes():
        module = _module_of_constant(name)
        lines[:] = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name.rpartition(".")[2]), [])


def _module_of_constant(name: str) -> str:
    """Return the module in which a constant is defined, from which namespaces take it."""
    module, _, last = name.rpartition(".")
    while source := _source_of(module, last):
        module = source
    return module


def _source_of(module: str, name: str) -> str:
    """Return from which module another one takes a name, by its stub if it has one; empty if it does not."""
    code = Path(str(importlib.import_module(module).__file__))
    package = module if code.name == "__init__.py" else module.rpartition(".")[0]
    stub = code.with_suffix(".pyi")
    for node in ast.parse((stub if stub.exists() else code).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            return f"{package}.{node.module}" if node.level else str(node.module)
    return ""


def hide_colons(app: Sphinx, what: str, name: str, owner: Any, options: Any, lines: list[str]) -> None:
    """Hide colons of sentences such as ``One row per epoch: its losses.``, before Napoleon reads them.

    It would take what stands before the colon for a type. It looks for types at the beginning of properties and in
    what functions return; docstrings of this library have none there.
    """
    if what in ("property", "attribute", "data") and lines:
        lines[0] = lines[0].replace(":", _COLON)
    inside = False
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith(" "):
            inside = line in ("Returns:", "Yields:")
        elif inside:
            lines[number] = line.replace(":", _COLON)


def show_colons(app: Sphinx, what: str, name: str, owner: Any, options: Any, lines: list[str]) -> None:
    """Put back what :func:`hide_colons` hid."""
    lines[:] = [line.replace(_COLON, ":") for line in lines]


def leave_private_types(app: Sphinx, env: Any, node: Any, content: nodes.Element) -> nodes.Element | None:
    """Print a type of a signature that has no page, of this package or of another, as a word."""
    target = node["reftarget"]
    known = target.partition(".")[0] in _words_of_modules() or pydoc.locate(target) is not None
    return content if node.get("refdomain") == "py" and known else None


@cache
def _words_of_modules() -> set[str]:
    """Return what the modules of the package define or import at their top, also for the type checker alone."""
    root = Path(str(importlib.import_module(PACKAGE).__file__)).parent
    words: set[str] = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                words |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ClassDef):
                words.add(node.name)
            elif isinstance(node, ast.Assign) and node.col_offset == 0:
                words |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return words


def import_types(app: Sphinx) -> None:
    """Import what modules import for the type checker alone, so that the types of signatures are found."""
    for module in {sys.modules.get(getattr(value, "__module__", "")) for value in list_names().values()}:
        if isinstance(module, ModuleType) and module.__name__.startswith(f"{PACKAGE}."):
            for node in ast.parse(inspect.getsource(module)).body:
                if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                    exec(compile(ast.Module(node.body, []), str(module.__file__), "exec"), vars(module))


def clear_old_pages(app: Sphinx) -> None:
    """Remove pages of names that are not public any more; Sphinx leaves what it wrote before."""
    kept = {page_names().get(name, name) for name in find_homes().values()} | {PACKAGE}
    for page in (Path(app.srcdir) / FOLDER).glob("*.rst"):
        if page.stem not in kept:
            page.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.connect("builder-inited", clear_old_pages, priority=400)
    app.connect("builder-inited", import_types)
    app.connect("autodoc-process-docstring", say_what_constants_are, priority=300)
    app.connect("autodoc-process-docstring", complete_references, priority=400)
    app.connect("autodoc-process-docstring", hide_colons, priority=450)
    app.connect("autodoc-process-docstring", show_colons, priority=550)
    app.connect("missing-reference", leave_private_types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
