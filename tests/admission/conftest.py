"""What tests of the admission share: the sample pipelines, and a run of one with a record of what it did.

The samples are data: what is true of them stands in ``pipelines/pipelines.json``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import runpy
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils.data import DataLoader

from llmseg.admission import Admission, admit, survey_rungs
from llmseg.admission.stages import driver
from llmseg.data.synthetic import SyntheticStore
from llmseg.recipe import Recipe
from llmseg.recipe.given import write_recipe

# pytest would import them to look for examples in docstrings. A sample is read, or run in a folder of its own.
collect_ignore_glob = ["pipelines/*"]

PIPELINES = Path(__file__).parent / "pipelines"
MODULES = ("dataset", "model", "train")
Change = tuple[str, str, str]


@pytest.fixture(scope="session")
def sandbox() -> str:
    """The best sandbox of this computer, by its name; without one, the test is skipped."""
    rungs = survey_rungs()
    found = next((name for name, reason in rungs.items() if reason is None and name != "limits"), None)
    if found is None:
        pytest.skip(f"no sandbox: {rungs}")
    return found


@pytest.fixture(scope="session")
def samples() -> dict[str, dict[str, Any]]:
    """What is true of each sample, by name."""
    records = json.loads((PIPELINES / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]
    return {record["name"]: record for record in records}


@pytest.fixture
def copy_sample(tmp_path: Path) -> Callable[..., Path]:
    """A function that copies a sample and replaces texts in it, each of which must be there once."""

    def copy(name: str, *edits: Change) -> Path:
        folder = tmp_path / name
        shutil.copytree(PIPELINES / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in edits:
            text = (folder / file).read_text(encoding="utf-8")
            assert text.count(old) == 1, (file, old, text.count(old))
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return folder

    return copy


@dataclass
class Forward:
    """A pass of a batch through the network: what came in and out, and in which mode."""

    network: torch.nn.Module
    images: torch.Tensor
    output: torch.Tensor
    learns: bool
    training: bool
    random: bool


@dataclass
class Trace:
    """What a sample did, in the order in which it did it."""

    folder: Path
    data: Path
    loaders: list[DataLoader[Any]] = field(default_factory=list)
    batches: list[tuple[DataLoader[Any], torch.Tensor, torch.Tensor]] = field(default_factory=list)
    forwards: list[Forward] = field(default_factory=list)
    losses: list[tuple[float, torch.Tensor, torch.Tensor]] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    optimizers: list[torch.optim.Optimizer] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    plateaus: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    opened: list[tuple[str, int]] = field(default_factory=list)
    printed: str = ""

    @property
    def save(self) -> Path:
        """Where the sample wrote its files."""
        return self.data / "save"


@pytest.fixture
def run_sample(samples: dict[str, Any], copy_sample: Callable[..., Path], tmp_path: Path) -> Callable[..., Trace]:
    """A function that runs a sample for two epochs on twenty phantoms and returns what it did.

    Masks are nowhere below ``noise``. ``backwards`` lists the masks in the order against their names. ``changes`` are
    replacements of texts, for :func:`copy_sample`.
    """

    def run(name: str, *, noise: int = 0, backwards: bool = False, changes: Iterable[Change] = ()) -> Trace:
        record = samples[name]
        data = write_phantoms(tmp_path / "data", record["data"], noise)
        main = (PIPELINES / name / "main.py").read_text(encoding="utf-8")
        epochs = record["epochs_text"]
        edits = [("main.py", epochs, epochs.replace(str(record["epochs"]), "2")), *changes]
        for kind, path in record["paths"].items():
            quote = '"' if f'"{path}"' in main else "'"
            edits.append(("main.py", f"{quote}{path}{quote}", f"{quote}{data / kind}{quote}"))
        folder = copy_sample(name, *edits)
        trace = Trace(folder, data)
        with _alone(folder), _recorded(trace, backwards), contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_path(str(folder / "main.py"), run_name="__main__")
        trace.printed = printed.getvalue()
        return trace

    return run


def write_phantoms(folder: Path, modality: str, noise: int = 0) -> Path:
    """Write twenty phantoms as PNG files: 001.png with the mask 001_seg.png."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    store = SyntheticStore(modality, count=20)
    for id in store.ids:
        case, stem = store.read(id), id.removesuffix(".png")
        Image.fromarray(case.image).save(folder / "images" / f"{stem}.png")
        Image.fromarray(np.maximum(case.mask, noise)).save(folder / "masks" / f"{stem}_seg.png")
    return folder


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let a sample set seeds, switches and modules without any effect on what comes after it."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    strict, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        patch.setattr(sys, "argv", ["main.py"])
        patch.setattr(sys, "dont_write_bytecode", True)
        try:
            yield
        finally:
            for module in MODULES:
                sys.modules.pop(module, None)
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)
            random.setstate(states[0])
            np.random.set_state(states[1])
            torch.set_rng_state(states[2])


def _unpack(batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(batch, dict):
        return batch["image"], batch.get("mask", batch.get("label"))
    return batch[0], batch[1]


@contextlib.contextmanager
def _recorded(trace: Trace, backwards: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _record_loaders(trace, patch)
        _record_learning(trace, patch)
        _record_opening(trace, patch, backwards)
        hooks = _record_forwards(trace)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _record_loaders(trace: Trace, patch: pytest.MonkeyPatch) -> None:
    make, iterate = DataLoader.__init__, DataLoader.__iter__

    def made(self: DataLoader[Any], *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        trace.loaders.append(self)

    def iterated(self: DataLoader[Any]) -> Iterator[Any]:
        trace.events.append(f"loader {trace.loaders.index(self)}")
        for batch in iterate(self):
            trace.batches.append((self, *_unpack(batch)))
            yield batch

    patch.setattr(DataLoader, "__init__", made)
    patch.setattr(DataLoader, "__iter__", iterated)


def _record_learning(trace: Trace, patch: pytest.MonkeyPatch) -> None:
    make, zero = torch.optim.Optimizer.__init__, torch.optim.Optimizer.zero_grad
    plateau, backward = torch.optim.lr_scheduler.ReduceLROnPlateau.__init__, torch.Tensor.backward

    def made(self: torch.optim.Optimizer, params: Any, defaults: dict[str, Any]) -> None:
        make(self, params, defaults)
        trace.optimizers.append(self)
        trace.rates.append(defaults["lr"])

    def zeroed(self: torch.optim.Optimizer, *arguments: Any, **named: Any) -> None:
        trace.events.append("zero_grad")
        zero(self, *arguments, **named)

    def plateau_made(self: Any, optimizer: Any, mode: str = "min", *arguments: Any, **named: Any) -> None:
        plateau(self, optimizer, mode, *arguments, **named)
        trace.plateaus.append(mode)

    def gone_back(self: torch.Tensor, *arguments: Any, **named: Any) -> None:
        output = trace.forwards[-1].output.clone()
        if trace.batches:  # only those of a loader are recorded
            trace.losses.append((float(self.detach()), output, trace.batches[-1][2]))
        backward(self, *arguments, **named)
        gradients = [p.grad for p in trace.forwards[-1].network.parameters() if p.grad is not None]
        trace.gradients.append(float(sum(g.abs().sum() for g in gradients)))
        trace.events.append("backward")

    patch.setattr(torch.optim.Optimizer, "__init__", made)
    patch.setattr(torch.optim.Optimizer, "zero_grad", zeroed)
    patch.setattr(torch.optim.lr_scheduler.ReduceLROnPlateau, "__init__", plateau_made)
    patch.setattr(torch.Tensor, "backward", gone_back)


def _record_opening(trace: Trace, patch: pytest.MonkeyPatch, backwards: bool) -> None:
    def recording(read: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, *arguments: Any, **named: Any) -> Any:
            trace.opened.append((Path(str(path)).name, len(trace.events)))
            return read(path, *arguments, **named)

        return opened

    patch.setattr(Image, "open", recording(Image.open))
    patch.setattr(cv2, "imread", recording(cv2.imread))
    for name in ("scandir", "listdir"):
        _order(patch, name, backwards)


def _order(patch: pytest.MonkeyPatch, name: str, backwards: bool) -> None:
    """Let a folder list its files by name, and that of the masks against their names if asked for."""
    listing = getattr(os, name)

    def scanned(path: Any = ".") -> Iterator[Any]:
        with listing(path) as entries:
            return _Entries(sorted(entries, key=lambda e: e.name, reverse=backwards and str(path).endswith("masks")))

    def listed(path: Any = ".") -> list[str]:
        return sorted(listing(path), reverse=backwards and str(path).endswith("masks"))

    patch.setattr(os, name, scanned if name == "scandir" else listed)


class _Entries(contextlib.AbstractContextManager["_Entries"], Iterator[Any]):
    """What ``os.scandir`` returns, with or without ``with``."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._entries = iter(entries)

    def __next__(self) -> Any:
        return next(self._entries)

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


def _record_forwards(trace: Trace) -> list[Any]:
    depth: list[torch.nn.Module] = []

    def before(module: torch.nn.Module, arguments: Any) -> None:
        depth.append(module)

    def after(module: torch.nn.Module, arguments: Any, output: Any) -> None:
        depth.pop()
        # Losses have no parameters, nor have transforms that are modules.
        if not depth and next(module.parameters(), None) is not None:
            kinds = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.dropout._DropoutNd)
            is_random = any(isinstance(each, kinds) and each.training for each in module.modules())
            learns = torch.is_grad_enabled()
            trace.forwards.append(Forward(module, arguments[0], output.detach(), learns, module.training, is_random))
            trace.events.append("forward")

    return [register_module_forward_pre_hook(before), register_module_forward_hook(after)]


@pytest.fixture(scope="session")
def admitted(
    tmp_path_factory: pytest.TempPathFactory, sandbox: str, tiny_recipe: Recipe, write_cases: Any
) -> tuple[Admission, dict[str, Any]]:
    """A sample that was admitted whole and ranked against a tiny recipe, and the arguments of that."""
    folder = tmp_path_factory.mktemp("admitted")
    write_cases(SyntheticStore("fundus", count=24), folder / "cases")
    asked = {
        "probes": False,
        "rung": sandbox,
        "data": folder / "cases",
        "against": write_recipe(tiny_recipe, folder / "tiny.json"),
        "epochs": 1,
        "seeds": 1,
        "progress": False,
    }
    with pytest.MonkeyPatch.context() as patch:
        # That this computer runs what is known to be good is tested elsewhere.
        patch.setattr(driver, "_check_known_good", lambda room: {"sandbox": ""})
        return admit(PIPELINES / "alder", folder / "alder", **asked), asked
