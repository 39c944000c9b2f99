"""Imports point down only; this test reads them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmseg
from llmseg import zoo

ROOT = Path(llmseg.__file__).parent

NETS = (
    "llmseg.recipe.nets.unet",
    "llmseg.recipe.nets.encoder_decoder",
    "llmseg.recipe.nets.references",
    "llmseg.recipe.nets.modules",
    "llmseg.recipe.nets",
)
PARTS = ("llmseg.errors", "llmseg.recipe.part")
RECIPE = ("llmseg.recipe", "llmseg.recipe.quirks", "llmseg.recipe.fit", "llmseg.recipe.augment")
VALUES = (*PARTS, *NETS, *RECIPE, "llmseg.recipe.dice", "llmseg.recipe.losses", "llmseg.recipe.scores")
LOOP = ("llmseg.training", "llmseg.training.state", "llmseg.training.loop")
TRAINING = (*LOOP, "llmseg.training.resume", "llmseg.training.run_files", "llmseg.training.job", "llmseg.training.run")
EVERYTHING = ("llmseg",)

# What a module may import of the package, at its top or inside functions; the longest name that fits a module
# counts, and a package stands for its modules. A module that is not listed here fails the test.
LAYERS = {
    "llmseg.errors": (),
    "llmseg.version": (),
    "llmseg.files": ("llmseg.errors",),
    "llmseg.recipe.part": ("llmseg.errors",),
    "llmseg.recipe.augment": PARTS,
    "llmseg.recipe.fit": (*PARTS, "llmseg.recipe.augment"),
    "llmseg.recipe.quirks": (*PARTS, "llmseg.recipe.fit", "llmseg.recipe.quirks"),
    "llmseg.recipe": (*PARTS, "llmseg.recipe.fit", "llmseg.recipe.quirks"),
    "llmseg.recipe.dice": (*PARTS, "llmseg.recipe"),
    "llmseg.recipe.nets.unet": (*PARTS, "llmseg.recipe", "llmseg.recipe.nets.modules"),
    "llmseg.recipe.nets.encoder_decoder": (*PARTS, "llmseg.recipe", "llmseg.recipe.nets.modules"),
    "llmseg.recipe.nets.references": (*PARTS, "llmseg.recipe", "llmseg.recipe.nets.modules"),
    "llmseg.recipe.nets.modules": ("llmseg.errors", "llmseg.recipe.nets.modules"),
    "llmseg.recipe.nets": (*PARTS, "llmseg.recipe", "llmseg.recipe.nets.modules", "llmseg.recipe.dice"),
    "llmseg.recipe.losses": (*PARTS, "llmseg.recipe", "llmseg.recipe.dice"),
    "llmseg.recipe.scores": (*PARTS, "llmseg.recipe", "llmseg.recipe.dice"),
    "llmseg.data": (*PARTS, "llmseg.recipe", "llmseg.files", "llmseg.version", "llmseg.data"),
    "llmseg.training": (*VALUES, "llmseg.data", "llmseg.files", "llmseg.training"),
    "llmseg.zoo": (*VALUES, "llmseg.data", "llmseg.zoo"),
    "llmseg.training.state": (*PARTS, "llmseg.recipe.fit", "llmseg.training"),
    "llmseg.training.loop": (*VALUES, "llmseg.data", "llmseg.training", "llmseg.training.state"),
    "llmseg.training.resume": (*PARTS, "llmseg.recipe", "llmseg.files"),
    "llmseg.training.run_files": (*VALUES, "llmseg.data", "llmseg.files", "llmseg.version", *LOOP),
    "llmseg.training.job": (
        *VALUES,
        "llmseg.data",
        "llmseg.files",
        *LOOP,
        "llmseg.training.resume",
        "llmseg.training.run_files",
    ),
    "llmseg.training.run": (*VALUES, "llmseg.data", "llmseg.files", "llmseg.version", *TRAINING),
    "llmseg.fidelity": (*VALUES, "llmseg.data", "llmseg.zoo", *LOOP, "llmseg.fidelity"),
    "llmseg.prediction": (),
    "llmseg.prediction.predict": (*VALUES, "llmseg.data", "llmseg.files", "llmseg.training"),
    "llmseg.prediction.load": (*VALUES, "llmseg.data", "llmseg.zoo", *TRAINING),
    "llmseg.evaluation": (
        *VALUES,
        "llmseg.data",
        "llmseg.files",
        "llmseg.zoo",
        *TRAINING,
        "llmseg.prediction.predict",
        "llmseg.evaluation",
    ),
    "llmseg.prediction.export": (*VALUES, "llmseg.data", "llmseg.files", "llmseg.training"),
    "llmseg.fidelity.replay": (
        *VALUES,
        "llmseg.data",
        "llmseg.files",
        "llmseg.zoo",
        *TRAINING,
        "llmseg.prediction.predict",
    ),
    "llmseg.stats": ("llmseg.errors", "llmseg.files", "llmseg.stats"),
    "llmseg.figures.points": ("llmseg.files",),
    "llmseg.study.variants": (*VALUES, "llmseg.data", "llmseg.zoo"),
    "llmseg.study": (),
    "llmseg.study.study": (
        "llmseg.figures.points",
        *VALUES,
        "llmseg.study.variants",
        "llmseg.data",
        "llmseg.files",
        *TRAINING,
        "llmseg.evaluation",
        "llmseg.stats",
    ),
    "llmseg.figures": (*VALUES, "llmseg.study.results", "llmseg.zoo", "llmseg.files", "llmseg.stats", "llmseg.figures"),
    "llmseg.figures.style": (),
    "llmseg.figures.overlay": ("llmseg.errors", "llmseg.figures.style"),
    "llmseg.study.results": (
        *VALUES,
        "llmseg.data",
        "llmseg.zoo",
        *TRAINING,
        "llmseg.prediction.predict",
        "llmseg.evaluation",
        "llmseg.stats",
        "llmseg.study.study",
    ),
    "llmseg.figures.kinds": (
        *VALUES,
        "llmseg.data",
        "llmseg.files",
        "llmseg.stats",
        "llmseg.figures",
        "llmseg.study.results",
    ),
    "llmseg.figures.predictions": (
        *VALUES,
        "llmseg.data",
        "llmseg.prediction",
        "llmseg.evaluation",
        "llmseg.stats",
        "llmseg.figures",
        "llmseg.study.results",
    ),
    "llmseg.report": (
        "llmseg.study.results",
        *VALUES,
        "llmseg.version",
        "llmseg.data",
        "llmseg.files",
        "llmseg.zoo",
        *TRAINING,
        "llmseg.prediction.predict",
        "llmseg.evaluation",
        "llmseg.stats",
        "llmseg.figures",
        "llmseg.report",
    ),
    "llmseg.study.gap": (
        "llmseg.figures.points",
        *VALUES,
        "llmseg.data",
        "llmseg.files",
        "llmseg.zoo",
        *TRAINING,
        "llmseg.evaluation",
        "llmseg.stats",
        "llmseg.study.variants",
        "llmseg.study.study",
    ),
    "llmseg.nnunet": (
        *VALUES,
        "llmseg.data",
        "llmseg.files",
        *TRAINING,
        "llmseg.evaluation",
        "llmseg.nnunet",
    ),
    "llmseg.nnunet.process": (),
    "llmseg.nnunet.trainers": (),
    "llmseg.cli": EVERYTHING,
    "llmseg.__main__": EVERYTHING,
    "llmseg": EVERYTHING,
}

# Names that are imported by text, so that the shipped kinds register themselves when a recipe is read.
BY_NAME = {"llmseg": {"llmseg.zoo"}}

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
LIGHT = ("llmseg.zoo", *VALUES)

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


def layer(module: str) -> tuple[str, ...] | None:
    fitting = [name for name in LAYERS if module == name or (name != "llmseg" and module.startswith(f"{name}."))]
    return LAYERS[max(fitting, key=len)] if fitting else None


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    allowed = layer(module)
    assert allowed is not None, f"{module} is in no layer; add it to the table"
    wrong = [
        f"{name} ({where})"
        for where, name in imports(module)
        if where != TYPING and within(name, EVERYTHING) and not within(name, allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_by_text_are_listed(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found = {
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("importlib.import_module", "import_module", "__import__")
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    assert found <= BY_NAME.get(module, set())


@pytest.mark.parametrize(
    "module", [m for m in MODULES if within(m, LIGHT) and not within(m, ("llmseg.recipe.nets.modules",))]
)
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


def test_types_of_the_values_point_down_too():
    """Only what a record builds, or what judges a recipe, names it, and only for the type checker."""
    upward = {
        module
        for module in MODULES
        for where, name in imports(module)
        if where == TYPING and within(module, VALUES) and within(name, EVERYTHING) and not within(name, layer(module))
    }
    records = {
        "llmseg.recipe.nets.modules.unet",
        "llmseg.recipe.nets.modules.encoder_decoder",
        "llmseg.recipe.nets.modules.references",
        "llmseg.recipe.nets.modules.keras_unet",
    }
    assert upward <= records | {module for module in MODULES if within(module, ("llmseg.recipe.quirks",))}


def test_nothing_above_the_zoo_is_known_to_the_trainer():
    for module in TRAINING:
        named = [name for _, name in imports(module)]
        assert not any(within(name, ("llmseg.zoo", "llmseg.fidelity", "llmseg.cli.main")) for name in named)


def test_the_loop_has_no_branch_for_any_pipeline():
    text = MODULES["llmseg.training.loop"].read_text(encoding="utf-8")
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    assert not called & {"isinstance", "issubclass", "hasattr", "getattr", "type"}
    ids = zoo.names(in_study=None, variants=True, reference=None)
    words = [*ids, *(zoo.get(id).card.name for id in ids)]
    assert [word for word in words if word.lower() in text.lower()] == []


def test_every_layer_of_the_table_exists():
    assert [name for name in LAYERS if name not in MODULES] == []
