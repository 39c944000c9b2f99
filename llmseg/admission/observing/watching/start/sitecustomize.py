"""Begins the observation of a process. Python imports this module before it runs a script."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_HERE = Path(__file__).resolve().parent
_PARENTS = ("llmseg", "llmseg.admission", "llmseg.admission.observing")
_PACKAGE = "llmseg.admission.observing.watching"


@contextmanager
def _only_this_folder() -> Iterator[None]:
    """Let the modules of the folder above be imported by their names, although the packages above them are not there.

    Afterwards a script that imports llmseg gets the real one, if there is one.
    """
    before = {name: sys.modules.pop(name) for name in _PARENTS if name in sys.modules}
    for name in _PARENTS:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules[_PARENTS[-1]].__path__ = [str(_HERE.parents[1])]
    if _HERE.parent.name != "watching":  # a sandbox shows the folder under another name
        package = sys.modules.setdefault(_PACKAGE, ModuleType(_PACKAGE))
        package.__path__ = [str(_HERE.parent)]
    try:
        yield
    finally:
        for name in _PARENTS:
            del sys.modules[name]
        sys.modules.update(before)


def _load(name: str) -> ModuleType:
    with _only_this_folder():
        return importlib.import_module(f"{_PACKAGE}.{name}")


def _load_hidden() -> None:
    """Load the ``sitecustomize`` that Python would have found without this one, if the computer has one."""
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _begin(folder: Path) -> None:
    journal = _load("journal").Journal(folder)
    after_import = _load("imports").after_import
    seed = os.environ.get("LLMSEG_SEED")
    if seed is not None:
        random.seed(int(seed))
        after_import("numpy", lambda numpy: numpy.random.seed(int(seed)))
        after_import("torch", lambda torch: torch.manual_seed(int(seed)))
        after_import("tensorflow", lambda tensorflow: tensorflow.random.set_seed(int(seed)))
    after_import("numpy", lambda numpy: _load("helping").help_numpy(journal, numpy))
    if os.environ.get("LLMSEG_LISTING"):
        note = journal.guarded(lambda folder, names: journal.write("list", folder=folder, names=names[:200]))
        _load("listing").mix(os.environ["LLMSEG_LISTING"], note)
    predictions = os.environ.get("LLMSEG_PREDICTIONS")
    if predictions:
        after_import("torch", lambda torch: _load("predicting").watch(journal, torch, predictions == "all"))
        return
    _load("files").watch(journal, after_import, _load("tables").watch(journal, after_import))
    after_import("torch", lambda torch: _load("everything").watch(journal, torch))
    after_import("keras", lambda keras: _load("keras").watch(journal, keras))


_load_hidden()
if os.environ.get("LLMSEG_RECORD"):
    try:
        _begin(Path(os.environ["LLMSEG_RECORD"]))
    except Exception as error:  # the script must run in any case
        print(f"llmseg: not observed: {error!r}", file=sys.stderr)
