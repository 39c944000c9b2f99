"""Requirements 15 to 20: how cases are split, copied, counted and loaded, and the settings."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable
from typing import Any

from llmseg.admission.prompt.checks.source import Found, Sign, Source, keyword, met, phases_of, unmet, unseen, words_of


def check_split(source: Source) -> Sign:
    """Requirement 15."""
    calls = [each for each in source.called("train_test_split") if "sklearn" in each.name or "." not in each.name]
    if not calls:
        others = source.called("random_split", "shuffle", "permutation", "randperm")
        return unmet("train_test_split is not called", others)
    still = [each for each in calls if source.settings.constant(keyword(each.call, "shuffle")) is False]
    if still:
        return unmet("the cases are not shuffled", still)
    shares = [_second_share(source, each) for each in calls]
    if len(calls) != 2 or None in shares:
        return unseen("how large the parts are", calls)
    first, second = (float(share) for share in shares if share is not None)
    # The second call divides what the first one split off, or what it kept.
    parts = {
        (1 - first, first * (1 - second), first * second),
        ((1 - first) * (1 - second), (1 - first) * second, first),
    }
    wanted = (0.8, 0.1, 0.1)
    if any(all(abs(a - b) < 0.006 for a, b in zip(part, wanted, strict=True)) for part in parts):
        return met("80 / 10 / 10", calls)
    tried = " or ".join(sorted(" / ".join(f"{100 * share:.0f}" for share in part) for part in parts))
    return unmet(f"the parts are {tried} percent", calls)


def _second_share(source: Source, found: Found) -> float | None:
    test, train = (source.settings.constant(keyword(found.call, name)) for name in ("test_size", "train_size"))
    if isinstance(test, float):
        return test
    return 1 - train if isinstance(train, float) else None


def check_leakage(source: Source) -> Sign:
    """Requirement 16."""
    crossed = [each for each in _assignments(source) if _gives_test_to_others(each)]
    if crossed:
        return unmet("test cases are given to the training or the validation", crossed)
    return unseen("whether the test part stays apart")


def _assignments(source: Source) -> list[Found]:
    return [
        Found(script, node)
        for script in source.scripts
        for node in script.nodes
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    ]


def _gives_test_to_others(found: Found) -> bool:
    """Return whether a loader or dataset named for training or validation is made of test cases alone."""
    assert isinstance(found.node, ast.Assign)
    target = found.node.targets[0]
    assert isinstance(target, ast.Name)
    own = phases_of([target.id.lower()])
    if not own or "test" in own or not isinstance(found.node.value, ast.Call):
        return False
    arguments = found.node.value.args[:2]
    if not target.id.lower().endswith(("loader", "dataset", "ds", "dl", "data", "set")):
        return False
    words = [word for each in arguments if isinstance(each, ast.Name) for word in words_of(each)]
    return phases_of(words) == {"test"}


def check_copies(source: Source) -> Sign:
    """Requirement 17."""
    copies = [each for each in source.called("copy", "copy2", "copyfile", "copytree") if each.name.startswith("shutil")]
    copies += source.called("imwrite", "copy_file", "write_bytes")
    if copies:
        return unseen("files are copied; how many of which part shows a run", copies)
    return unmet("no file is copied")


def check_counts(source: Source) -> Sign:
    """Requirement 18."""
    printed = _printed_phases(source, loaders=False)
    if set(printed) == {"training", "validation", "test"}:
        return met("the three numbers are printed", printed.values())
    if source.called("print", "info"):
        return unseen(_missing("the number of images", printed), printed.values())
    return unmet("nothing is printed")


def check_loaders(source: Source) -> Sign:
    """Requirement 19."""
    names = ("DataLoader",) if source.prompt.framework == "pytorch" else tuple(each.name for each in source.classes)
    loaders = source.called(*names)
    if not loaders:
        return unmet("no loader is made") if source.prompt.framework == "pytorch" else unseen("where loaders are made")
    printed = _printed_phases(source, loaders=True)
    if set(printed) == {"training", "validation", "test"}:
        return met("loaders are made, and their lengths printed", [*loaders, *printed.values()])
    return unseen(_missing("the length of loaders", printed), loaders)


def _printed_phases(source: Source, loaders: bool) -> dict[str, Found]:
    """Return a call that prints a length for each phase, of loaders or of anything else."""
    printed: dict[str, Found] = {}
    for found in source.called("print", "info"):
        for node in ast.walk(found.node):
            if isinstance(node, ast.Call) and found.script.dotted(node.func) == "len" and node.args:
                words = list(words_of(node.args[0]))
                text = " ".join(words)
                if ("loader" in text) == loaders and not any(each in text for each in ("dice", "loss", "score")):
                    printed = {**dict.fromkeys(phases_of(words), found), **printed}
    return printed


def _missing(what: str, printed: Iterable[str]) -> str:
    phases = [phase for phase in ("training", "validation", "test") if phase not in set(printed)]
    return f"whether {what} is printed for {', '.join(phases)}"


_NAMES = {
    "batch size": ("batch_size", "train_batch_size", "batchsize", "batch", "bs"),
    "epochs": ("num_epochs", "epochs", "n_epochs", "max_epochs", "nb_epochs"),
    "rate": ("learning_rate", "lr", "base_lr"),
    "size": ("image_size", "img_size", "size", "input_size", "img_dim", "target_size", "resize"),
}
_OPTIMIZERS = ["Adam", "AdamW", "SGD", "RMSprop", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "Lion"]


def find_settings(source: Source) -> dict[str, tuple[Any, str]]:
    """Return the settings that the text shows, each with its place.

    Returns:
        The value and the place by ``"batch size"``, ``"epochs"``, ``"rate"``, ``"size"``, ``"optimizer"`` and
        ``"loss"``; what cannot be read is left out.
    """
    values = {what: found for what, names in _NAMES.items() if (found := _first_value(source, names)) is not None}
    optimizers = source.called(*_OPTIMIZERS)
    if len({each.last for each in optimizers}) == 1:
        values["optimizer"] = (optimizers[0].last, optimizers[0].place)
    losses = [each for each in source.calls if each.last.lower().endswith("loss") and each.script.path != "model.py"]
    if losses:
        names = sorted({each.last for each in losses})
        values["loss"] = (", ".join(names), losses[0].place)
    return values


def _first_value(source: Source, names: tuple[str, ...]) -> tuple[Any, str] | None:
    stated = sorted(source.settings.all, key=lambda each: (each.is_default, each.script.path != "main.py"))
    for name, setting in itertools.product(names, stated):
        value = source.settings.constant(setting.value) if setting.name == name else None
        if isinstance(value, int | float | tuple) and not isinstance(value, bool):
            return value, setting.place
    return None


def check_own_settings(source: Source) -> Sign:
    """Requirement 20."""
    found = find_settings(source)
    shown = ", ".join(f"{what} {value}" for what, (value, _) in found.items())
    where = tuple(dict.fromkeys(place for _, place in found.values()))[:4]
    asked = source.prompt.size
    size = found.get("size", (None, ""))[0]
    if asked is not None and size is not None and size not in (asked, (asked, asked)):
        return Sign("not met", f"images are resized to {size}, not to {asked}", where)
    missing = [what for what in (*_NAMES, "optimizer", "loss") if what not in found]
    if missing:
        return Sign("cannot be seen", f"{', '.join(missing)}; found: {shown or 'nothing'}", where)
    return Sign("met", shown, where)
