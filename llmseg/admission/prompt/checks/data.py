"""Requirements 6 to 10: how images and masks are found, read and changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from llmseg.admission.prompt.checks.source import Found, Sign, Source, met, unmet, unseen
from llmseg.admission.settings import last_name

_LISTINGS = ("listdir", "scandir", "iterdir", "glob", "iglob", "rglob", "walk")
_GLOBS = ("glob", "iglob", "rglob")
_ENDING = re.compile(r"\.?(png|jpe?g|bmp|tiff?|gif|webp)$", re.IGNORECASE)
_DATASET_BASES = {
    "pytorch": ("Dataset", "VisionDataset", "IterableDataset", "CacheDataset", "PersistentDataset"),
    "keras": ("PyDataset", "Sequence"),
}
_RANDOM_TRANSFORM = re.compile(
    r"Rand(?!int|State)[A-Z]?\w*|ColorJitter|AutoAugment|TrivialAugmentWide|(Horizontal|Vertical)Flip|ShiftScaleRotate|"
    r"ElasticTransform|GridDistortion|OpticalDistortion|RandomRotate90|Rotate|Transpose|GaussNoise|CLAHE|Flip|Affine|"
    r"CoarseDropout|ImageDataGenerator"
)


def _listings(source: Source) -> list[Found]:
    """Return the calls that list a folder."""
    return [
        each
        for each in source.calls
        if each.last in _LISTINGS and each.name not in ("ast.walk",) and not each.name.startswith(("torch", "keras"))
    ]


def check_pairs(source: Source) -> Sign:
    """Requirement 6."""
    listings = _listings(source)
    loose = [each for each in listings if not _is_sorted(each)]
    before, after = source.prompt.mask_names.rpartition(".")[0].split("*")
    named = [
        Found(script, node)
        for script in source.scripts
        for node in script.nodes
        for affix in (before, after)
        if affix and isinstance(node, ast.Constant) and isinstance(node.value, str) and affix in node.value
    ]
    if _images(loose) and _masks(loose) and _are_paired_by_position(source, _images(loose), _masks(loose)):
        return unmet("images and masks are paired by their position in listings without order", loose)
    return unseen("whether each image gets its own mask", named or listings)


def _images(listings: Iterable[Found]) -> set[str]:
    """Return the names of lists of images that are given what a folder lists."""
    return {name for name in _given_names(listings) if re.search(r"im(a)?g", name.lower())}


def _masks(listings: Iterable[Found]) -> set[str]:
    return {name for name in _given_names(listings) if re.search(r"mask|label|annot|seg", name.lower())}


def _given_names(listings: Iterable[Found]) -> set[str]:
    statements = (up for each in listings for up in each.script.above(each.node) if isinstance(up, ast.Assign))
    return {last_name(target) for statement in statements for target in statement.targets} - {""}


def _are_paired_by_position(source: Source, images: set[str], masks: set[str]) -> bool:
    """Return whether two lists are zipped, or read at the same variable place in one function."""
    for each in source.called("zip"):
        names = {last_name(argument) for argument in each.call.args}
        if names & images and names & masks:
            return True
    for function in source.functions:
        read: dict[str, set[str]] = {}
        for node in ast.walk(function.node):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
                read.setdefault(node.slice.id, set()).add(last_name(node.value))
        if any(names & images and names & masks for names in read.values()):
            return True
    return False


def _is_sorted(found: Found) -> bool:
    ups = [up for up in found.script.above(found.node) if isinstance(up, ast.Call)]
    if any(isinstance(up.func, ast.Name) and up.func.id in ("sorted", "natsorted", "set") for up in ups):
        return True
    function = found.script.function_of(found.node)
    scope: ast.AST = function if function is not None else found.script.tree
    calls = (node for node in ast.walk(scope) if isinstance(node, ast.Call))
    return any(
        (isinstance(call.func, ast.Attribute) and call.func.attr == "sort")
        or (isinstance(call.func, ast.Name) and call.func.id in ("sorted", "natsorted"))
        for call in calls
    )


def check_endings(source: Source) -> Sign:
    """Requirement 7."""
    allowed = {name.rpartition(".")[2].lower() for name in source.prompt.names.split(",")}
    listings = _listings(source)
    if not listings:
        return unseen("how files are found")
    open_ended, wrong, unclear = [], [], []
    for found in listings:
        endings = _endings_of(source, found)
        if endings is None:
            unclear.append(found)
        elif not endings:
            open_ended.append(found)
        elif not endings <= allowed:
            wrong.append(found)
    if wrong:
        return unmet("files with other endings are read, too", wrong)
    if open_ended:
        return unmet("all files of a folder are taken", open_ended)
    if unclear:
        return unseen("which files are taken", unclear)
    return met(f"only files that end in .{', .'.join(sorted(allowed))}", listings)


def _endings_of(source: Source, found: Found) -> set[str] | None:
    """Return the endings that a listing is narrowed to, none if it is not; ``None`` if that cannot be read."""
    if found.last in _GLOBS:
        pattern = found.call.args[0] if found.call.args else None
        texts = [node for node in ast.walk(pattern) if isinstance(node, ast.Constant)] if pattern is not None else []
        endings = {match[1].lower() for node in texts if (match := _ENDING.search(str(node.value)))}
        return endings or (None if pattern is not None and not texts else set())
    scope = _narrowing_scope(found)
    conditions = [node for node in ast.walk(scope) if _asks_for_ending(node)]
    if not conditions:
        return set()
    endings, known = set(), True
    for node in conditions:
        values = [source.settings.constant(each) for each in _compared(node)]
        known = known and None not in values
        flat = [text for value in values for text in (value if isinstance(value, tuple) else (value,))]
        matches = [match[1].lower() for text in flat if isinstance(text, str) and (match := _ENDING.search(text))]
        endings.update(matches)
    # What is compared with known texts that are no endings, such as a suffix, narrows nothing.
    return endings if endings or known else None


def _narrowing_scope(found: Found) -> ast.AST:
    """Return what may narrow a listing: the comprehension or loop over it, otherwise the function."""
    for up in found.script.above(found.node):
        if isinstance(up, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp | ast.For):
            return up
        if isinstance(up, ast.FunctionDef | ast.Module):
            return up
    return found.script.tree


def _asks_for_ending(node: ast.AST) -> bool:
    """Return whether an expression compares an ending: of what a path or a name has, or with one that is written."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "endswith"
    if not isinstance(node, ast.Compare):
        return False
    words = {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
    texts = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
    written = any(isinstance(text, str) and text.startswith(".") and _ENDING.search(text) for text in texts)
    return written or bool(words & {"suffix", "splitext"})


def _compared(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        return node.args
    assert isinstance(node, ast.Compare)
    return node.comparators


def check_dataset_class(source: Source) -> Sign:
    """Requirement 8."""
    bases = _DATASET_BASES[source.prompt.framework]
    classes = [each for each in source.classes if any(base.rpartition(".")[2] in bases for base in source.bases(each))]
    if not classes:
        return unmet("no class is derived from the dataset class of the framework")
    giving = [each for each in classes if _gives_several(each.node)]
    if not giving:
        return unseen("whether the class yields image and mask", classes)
    return met("a dataset class that yields image and mask", giving)


def _gives_several(node: ast.AST) -> bool:
    """Return whether ``__getitem__`` of a class returns a tuple or a dictionary of two or more."""
    getter = next(
        (each for each in ast.walk(node) if isinstance(each, ast.FunctionDef) and each.name == "__getitem__"), None
    )
    returns = [each.value for each in ast.walk(getter) if isinstance(each, ast.Return)] if getter is not None else []
    return any(
        (isinstance(value, ast.Tuple) and len(value.elts) > 1) or (isinstance(value, ast.Dict) and len(value.keys) > 1)
        for value in returns
    )


def check_shapes(source: Source) -> Sign:
    """Requirement 9."""
    readings = [(found, _channels_read(found)) for found in source.called("convert", "imread")]
    known = [(found, channels) for found, channels in readings if channels]
    asked = source.prompt.channels
    if known and asked not in {channels for _, channels in known}:
        return unmet(f"files are read with {known[0][1]} channels", [found for found, _ in known])
    if asked == 3 and known and not any(channels == 3 for _, channels in known):
        return unmet("images are read as grey", [found for found, _ in known])
    return unseen("shapes and values of the tensors", [found for found, _ in known])


def _channels_read(found: Found) -> int | None:
    texts = {str(node.value) for node in ast.walk(found.node) if isinstance(node, ast.Constant)}
    if found.last == "convert":
        return 1 if texts & {"L", "1"} else 3 if "RGB" in texts else None
    if not found.name.startswith("cv2"):
        return None
    flags = [found.script.dotted(each) for each in found.call.args[1:]]
    grey = "cv2.IMREAD_GRAYSCALE" in flags or any(
        isinstance(a, ast.Constant) and a.value == 0 for a in found.call.args[1:]
    )
    if grey:
        return 1
    return 3 if not flags or "cv2.IMREAD_COLOR" in flags else None


def check_augmentation(source: Source) -> Sign:
    """Requirement 10."""
    transforms = [
        each
        for each in source.calls
        if _RANDOM_TRANSFORM.fullmatch(each.last) and not each.last.startswith(("RandomSampler", "RandomState"))
    ]
    dataset = source.scripts.get("dataset")
    draws = [
        each
        for each in source.calls
        if each.script is dataset
        and each.name.startswith(("random.", "numpy.random.", "torch.rand"))
        and each.last not in ("seed", "shuffle", "RandomState", "default_rng", "randperm")
        and _is_in_class(each)
    ]
    if transforms or draws:
        return unmet("images are changed at random", [*transforms, *draws])
    return met("no random change is in the text")


def _is_in_class(found: Found) -> bool:
    return any(isinstance(up, ast.ClassDef) for up in found.script.above(found.node))
