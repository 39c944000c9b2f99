"""Requirements 1 to 5: the files, what importing them does, and where settings stand."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from llmseg.admission.prompt.checks.source import Found, Sign, Source, met, unmet, unseen
from llmseg.admission.scripts import Script, is_main_guard, list_packages, list_undefined
from llmseg.errors import name_first

FILES = ("dataset.py", "main.py", "model.py", "train.py")

# Import names of packages that pipelines use. Others may be published, too, but that no text shows.
PUBLISHED = frozenset(
    {
        "PIL",
        "albumentations",
        "cv2",
        "einops",
        "imageio",
        "matplotlib",
        "monai",
        "numpy",
        "openpyxl",
        "pandas",
        "scipy",
        "seaborn",
        "segmentation_models_pytorch",
        "skimage",
        "sklearn",
        "tifffile",
        "timm",
        "torchinfo",
        "torchmetrics",
        "torchsummary",
        "torchvision",
        "tqdm",
        "xlsxwriter",
        "yaml",
    }
)
_OF_FRAMEWORK = {"pytorch": ("torch",), "keras": ("keras", "tensorflow")}
_OTHER_FRAMEWORKS = frozenset(
    {
        "torch",
        "tensorflow",
        "keras",
        "jax",
        "flax",
        "paddle",
        "mxnet",
        "theano",
    }
)
# Calls at the top of a module that start, print and write nothing.
_HARMLESS = frozenset(
    {
        "manual_seed",
        "seed",
        "filterwarnings",
        "simplefilter",
        "use",
        "switch_backend",
        "basicConfig",
        "getLogger",
        "append",
        "insert",
        "setdefault",
        "setNumThreads",
        "set_num_threads",
        "device",
        "update",
        "manual_seed_all",
        "set_seed",
        "set_theme",
        "set_float32_matmul_precision",
    }
)
_WRITES = frozenset(
    {
        "makedirs",
        "mkdir",
        "savefig",
        "to_excel",
        "to_csv",
        "save",
        "copy",
        "copy2",
        "copyfile",
        "copytree",
        "imwrite",
        "rmtree",
    }
)


def check_files(source: Source) -> Sign:
    """Requirement 1."""
    paths = [script.path for script in source.scripts]
    missing = [name for name in FILES if name not in paths]
    others = [path for path in paths if path not in FILES]
    if missing:
        return unmet(f"there is no {name_first(missing)}")
    if others:
        return Sign("not met", f"{len(others)} more than the four", tuple(f"{path}:1" for path in others[:4]))
    return met("the four files")


def check_imports(source: Source) -> Sign:
    """Requirement 2."""
    acting, unclear = [], []
    own = {each.name for each in source.functions} | {each.name for each in source.classes}
    for script in source.scripts:
        for found in _calls_at_import(source, script):
            if found.last in own and script.path != "main.py" and _is_assigned(found):
                continue  # an object that is made, such as a default network
            if found.last == "print" or found.last in _WRITES or found.last in own:
                acting.append(found)
            elif found.last not in _HARMLESS and not _is_assigned(found):
                unclear.append(found)
    if acting:
        return unmet("something happens when a file is imported", acting)
    if unclear:
        return unseen("what these calls do when a file is imported", unclear)
    return met("files only define things")


def _calls_at_import(source: Source, script: Script) -> Iterator[Found]:
    """Yield the calls that run when a script is imported."""
    skipped: set[ast.AST] = set()
    for node in script.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            skipped.update(inner for part in _bodies(node) for inner in ast.walk(part))
        elif isinstance(node, ast.If) and is_main_guard(node):
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
    for found in source.calls:
        if found.script is script and found.node not in skipped:
            yield found


def _bodies(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.AST]:
    """Return what of a function runs when it is called, or is a decorator."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return [*(node.body if isinstance(node.body, list) else [node.body]), *decorators]


def _is_assigned(found: Found) -> bool:
    return any(isinstance(up, ast.Assign | ast.AnnAssign) for up in found.script.above(found.node))


def check_framework(source: Source) -> Sign:
    """Requirement 3."""
    asked = _OF_FRAMEWORK[source.prompt.framework]
    own = {script.module.split(".")[0] for script in source.scripts}
    packages = {name: found for found, name in _imported_packages(source) if name not in own}
    wrong = [found for name, found in packages.items() if name in _OTHER_FRAMEWORKS and name not in asked]
    if wrong:
        return unmet(f"imports {name_first(each.name for each in wrong)}", wrong)
    if not set(asked) & set(packages):
        return unmet(f"no file imports {' or '.join(asked)}")
    known = PUBLISHED | sys.stdlib_module_names | set(asked)
    unknown = [found for name, found in packages.items() if name not in known]
    if unknown:
        return unseen(f"whether {name_first(each.name for each in unknown)} is a published package", unknown)
    return met(f"packages: {', '.join(sorted(set(packages) - sys.stdlib_module_names))}")


def _imported_packages(source: Source) -> Iterator[tuple[Found, str]]:
    for script in source.scripts:
        yield from ((Found(script, node, package), package) for node, package in list_packages(script))


def check_run(source: Source) -> Sign:
    """Requirement 4."""
    missing = [Found(script, node, name) for script, node, names in list_undefined(source.scripts) for name in names]
    if missing:
        return unmet(f"{name_first(each.name for each in missing)} is imported and defined nowhere", missing)
    return unseen("whether it runs")


# What has to be set, and the beginnings or pieces of names under which it is set.
_SETTINGS = {
    "images": ("image", "img"),
    "masks": ("mask", "label", "annotation"),
    "save folder": ("save", "out", "result"),
    "batch size": ("batch",),
    "epochs": ("epoch",),
    "learning rate": ("lr", "learning"),
}


def check_settings(source: Source) -> Sign:
    """Requirement 5."""
    main = source.scripts.get("main")
    if main is None:
        return unmet("there is no main.py")
    lines = main.text.splitlines()
    set_here, explained, elsewhere = {}, [], []
    for what, words in _SETTINGS.items():
        named = [each for each in source.settings.all if _speaks_of(each.name, words) and not each.is_default]
        values = [each for each in named if source.settings.constant(each.value) is not None]
        here = [Found(main, each.value, what) for each in values if each.script is main]
        if here:
            set_here[what] = here[0]
            explained += [found for found in here if _is_explained(found, lines)]
        elsewhere += [Found(each.script, each.value, what) for each in values if each.script is not main and not here]
    missing = [what for what in _SETTINGS if what not in set_here]
    if elsewhere:
        return unmet(f"{name_first(dict.fromkeys(each.name for each in elsewhere))} set outside main.py", elsewhere)
    if missing:
        return unseen(f"where these are set: {', '.join(missing)}", set_here.values())
    if not explained:
        return unmet("no comment explains the settings", set_here.values())
    return met("paths, settings and save folder are set in main.py", set_here.values())


def _speaks_of(name: str, words: tuple[str, ...]) -> bool:
    return any(piece.startswith(words) for piece in name.split("_"))


def _is_explained(found: Found, lines: list[str]) -> bool:
    line = getattr(found.node, "lineno", 1)
    near = lines[max(line - 2, 0) : line]
    helped = any(
        isinstance(up, ast.Call) and any(each.arg == "help" for each in up.keywords)
        for up in found.script.above(found.node)
    )
    return helped or any("#" in text for text in near)
