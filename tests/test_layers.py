"""Imports point down only; this test reads them."""

from __future__ import annotations

import ast
import functools
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmseg
from llmseg import zoo

ROOT = Path(llmseg.__file__).parent

# A folder (or file) imports only what stands left of it or above it; folders of one row do not import each other.
LAYERS = (
    ("errors",),
    ("files",),
    ("recipe", "stats"),
    ("data", "zoo"),
    ("training",),
    ("prediction",),
    ("evaluation", "fidelity"),
    ("study",),
    ("nnunet",),
    ("admission",),
    ("figures",),
    ("report",),
    ("cli",),
    ("__main__",),
)

# Nothing here may load these at its top: reading the zoo stays fast.
HEAVY = (
    "torch",
    "monai",
    "timm",
    "dynamic_network_architectures",
    "torchvision",
    "matplotlib",
    "pandas",
    "sklearn",
    "cv2",
    "PIL",
    "tqdm",
)
LIGHT = ("llmseg.errors", "llmseg.recipe", "llmseg.zoo")
COMPUTING = ("llmseg.recipe.transforms", "llmseg.recipe.nets.modules")

TOP, INSIDE, TYPING = "top level", "inside a function", "under TYPE_CHECKING"


def module_name(path: Path) -> str:
    parts = ("llmseg", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


@functools.cache
def imports(module: str) -> tuple[tuple[str, str], ...]:
    """Every import of a module as (where, dotted name), names from ``from`` resolved to modules of the package."""
    return tuple(_imports(ast.parse(MODULES[module].read_text(encoding="utf-8")), TOP))


def _imports(node: ast.AST, where: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((where, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports are not read"
            for alias in child.names:
                inner = f"{child.module}.{alias.name}"
                if inner != "llmseg.__version__":
                    yield where, inner if inner in MODULES else str(child.module)
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _imports(child, INSIDE)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for statement in child.body:
                yield from _imports(ast.Module([statement], []), TYPING)
            for statement in child.orelse:
                yield from _imports(ast.Module([statement], []), where)
        else:
            yield from _imports(child, where)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def room(module: str) -> str:
    """The folder or file at the top of the package in which a module lies."""
    return module.split(".")[1]


def level(module: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room(module) in rooms)


def test_every_room_has_its_place():
    rooms = [name for row in LAYERS for name in row]
    assert sorted(rooms) == sorted({room(module) for module in MODULES if module != "llmseg"})


@pytest.mark.parametrize("module", [m for m in MODULES if m != "llmseg"])
def test_imports_point_down(module):
    """At the top of a module, inside its functions, and for the type checker."""
    ours = {name for _, name in imports(module) if within(name, ("llmseg",))}
    if "llmseg" in ours:
        assert room(module) in ("cli", "__main__"), "import the module where a name lives"
    others = {name for name in ours - {"llmseg"} if room(name) != room(module)}
    assert [name for name in sorted(others) if level(name) >= level(module)] == []


def test_no_circle():
    """No module comes back to itself: at once, when a function is called, or for the type checker."""
    graph = {
        module: {name for _, name in imports(module) if name in MODULES and name != "llmseg"} for module in MODULES
    }
    order = graphlib.TopologicalSorter(graph)
    order.prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_imported_by_text(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found = {
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("importlib.import_module", "import_module", "__import__")
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    assert found == set()


@pytest.mark.parametrize("module", [m for m in MODULES if within(m, LIGHT) and not within(m, COMPUTING)])
def test_light_modules_load_nothing_heavy(module):
    assert [name for where, name in imports(module) if where == TOP and within(name, HEAVY)] == []


@pytest.mark.parametrize("module", [m for m in MODULES if within(m, ("llmseg.stats",))])
def test_statistics_load_their_libraries_when_they_are_used(module):
    slow = ("scipy", "statsmodels", "scikit_posthocs", "pyarrow", "matplotlib", "torch", "monai")
    assert [name for where, name in imports(module) if where == TOP and within(name, slow)] == []


def test_nnunet_is_imported_in_its_own_processes_only():
    alone = ("llmseg.nnunet.process", "llmseg.nnunet.trainers")
    named = {module for module in MODULES for _, name in imports(module) if within(name, ("nnunetv2",))}
    assert named == {module for module in MODULES if within(module, alone)} - {"llmseg.nnunet.trainers"}


def test_the_trainer_and_the_evaluator_cannot_know_whose_pipeline_it_is():
    predicting = ("predict", "export", "export_formats", "export_sizes")
    lower = ("llmseg.training", "llmseg.evaluation", *(f"llmseg.prediction.{name}" for name in predicting))
    for module in (m for m in MODULES if within(m, lower)):
        assert not any(within(name, ("llmseg.zoo",)) for _, name in imports(module))


def test_the_loop_has_no_branch_for_any_pipeline():
    text = MODULES["llmseg.training.loop"].read_text(encoding="utf-8")
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    assert not called & {"isinstance", "issubclass", "hasattr", "getattr", "type"}
    ids = zoo.all_names()
    words = [*ids, *(zoo.get(id).card.name for id in ids)]
    assert [word for word in words if word.lower() in text.lower()] == []
