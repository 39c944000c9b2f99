"""A real study: the pipelines on two sets of real images, cell by cell through the study machinery of llmseg."""

from __future__ import annotations

import functools
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from results import write_json
from setting import Setting
from workers import FORK, Item, die_with_parent

import llmseg
from llmseg.data import prepare_dataset
from llmseg.study import (
    Collected,
    StudyFile,
    collect_studies,
    find_contenders,
    read_collected,
    read_study_file,
    read_study_status,
    run_study_file,
)

FILE = Path(__file__).with_name("study.toml")

FOLDERS = {"bagls": "endoscopy_bagls", "ham10000": "skin_ham10000"}
"""The folders of the real images by the names of the datasets."""

SMALL: dict[str, Any] = {
    "pipelines": ["llama-3.1-405b", "bing-copilot"],
    "seeds": 1,
    "epochs": 1,
    "changes": ["images.size=64,64", "fit.batch_size=4"],
    "test": {"fraction": 0.4},
    "datasets": {"phantoms": {"synthetic": "dermoscopy", "cases": 20}},
}
"""The study in small, on phantoms."""

MARGIN = {"small": 5.0, "large": 20.0}
"""Seconds before the end at which trainings are stopped, so that what is finished can be collected."""


STOPPED = 143
"""Exit code of a launcher that was told to stop, and has written its checkpoint."""

EXPECTED = (0, STOPPED, -signal.SIGTERM)
"""Exit codes of launchers that are in order: -15 is that of one which was told to stop before it trained."""


def count_workers(_: Setting) -> int:
    """Return how many items run at once: one, which starts launchers of its own."""
    return 1


def list_items(setting: Setting) -> list[Item]:
    """Return the items: the stores, and then all cells."""
    prepare = [] if _is_synthetic(setting) else list(FOLDERS)
    return [
        *(Item(f"store {name}", 10, functools.partial(prepare_store, setting, name)) for name in prepare),
        Item("cells", 10 if setting.small else 40, functools.partial(train_cells, setting), limit=math.inf),
    ]


def _is_synthetic(setting: Setting) -> bool:
    return setting.small and setting.data is None


def prepare_store(setting: Setting, name: str) -> dict[str, Any]:
    """Write the store of a dataset."""
    if setting.data is None:
        raise llmseg.UserError("the real images are not there; benchmarks/gpu/pack.sh brings them, or give --data")
    began = time.perf_counter()
    store = _prepare(setting, name)
    seconds = time.perf_counter() - began
    return {"cases": len(store.ids), "ms_per_case": 1000 * seconds / len(store.ids), "digest": store.digest}


def _prepare(setting: Setting, name: str) -> llmseg.Hdf5Store:
    """Return the store of a dataset, from the images if it is not there: what an earlier sitting wrote is gone."""
    path = setting.work / "stores" / f"{name}.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert setting.data is not None
    return prepare_dataset(name, setting.data / FOLDERS[name], path, progress=False)


def read_grid(setting: Setting) -> StudyFile:
    """Return the study, with the stores where they are prepared."""
    if _is_synthetic(setting):
        return read_study_file(SMALL)
    grid = read_study_file(FILE)
    if setting.small:
        grid = replace(grid, changes=("images.size=64,64",), images_seen=300, pipelines=tuple(SMALL["pipelines"]))
    stores = {dataset.name: setting.work / "stores" / f"{dataset.name}.h5" for dataset in grid.datasets}
    return replace(grid, datasets=tuple(replace(dataset, data=stores[dataset.name]) for dataset in grid.datasets))


def train_cells(setting: Setting) -> Iterator[dict[str, Any]]:
    """Train and score cells until none is left or the time is up; yield what is finished whenever there is more.

    A launcher works on every dataset. Finished cells are collected at once into the folder ``study`` of the results,
    which says what is left when everything else is gone.
    """
    if not _is_synthetic(setting):
        for name in FOLDERS:
            _prepare(setting, name)
    grid, folder = read_grid(setting), setting.work / "study"
    stop = setting.last - MARGIN["small" if setting.small else "large"]
    parts = divide_grid(grid, find_finished(setting), folder)
    launchers = {name: _start_launcher(setting, part, folder, stop) for name, part in parts.items()}
    finished = 0
    try:
        while any(process.is_alive() for process in launchers.values()) and time.monotonic() < stop:
            time.sleep(0.5)
            if (count := _count_finished(folder)) > finished:
                finished = count
                yield _collect(setting, grid, folder)
    finally:
        codes = {name: _stop_launcher(process) for name, process in launchers.items()}
    last = _collect(setting, grid, folder) if _count_finished(folder) else _describe(setting, grid)
    yield {**last, "launchers": {name: code for name, code in codes.items() if code}}
    broken = [f"{name} with exit code {code}" for name, code in codes.items() if code not in EXPECTED]
    if broken:
        raise RuntimeError(f"launchers ended: {', '.join(broken)}; their errors were printed")


def find_finished(setting: Setting) -> set[tuple[str, str]]:
    """Return dataset and contender of every cell that earlier sittings have collected."""
    return {(cell.dataset, cell.pipeline) for cell in _read(setting).cells}


def _read(setting: Setting) -> Collected:
    folder = setting.out / "study"
    return read_collected(folder) if (folder / "collected.json").exists() else Collected({}, (), {}, {}, {})


def divide_grid(grid: StudyFile, finished: set[tuple[str, str]], folder: Path) -> dict[str, StudyFile]:
    """Return a study per dataset with the contenders that it lacks; none for a dataset that lacks nothing.

    A study that was begun in this folder goes on as it was begun, for its cells are there.
    """
    parts = {}
    for dataset in grid.datasets:
        note = folder / f"{dataset.name}.json"
        if note.exists():
            names = json.loads(note.read_text(encoding="utf-8"))["pipelines"]
        else:
            names = [each.name for each in find_contenders(grid.pipelines)]
            names = [name for name in names if (_store_name(dataset), name) not in finished]
            write_json(note, {"pipelines": names})
        if names:
            parts[dataset.name] = replace(grid, pipelines=tuple(names), datasets=(dataset,))
    return parts


def _store_name(dataset: Any) -> str:
    """Return the name that a dataset's cells have in tables."""
    return str(dataset.open().name)


def _start_launcher(setting: Setting, part: StudyFile, folder: Path, stop: float) -> BaseProcess:
    process = FORK.Process(target=_launch, args=(os.getpid(), part, folder, setting.place, stop))
    process.start()
    return process


def _launch(parent: int, part: StudyFile, folder: Path, place: str, stop: float) -> None:
    die_with_parent(parent)
    hours = max(1.0, stop - time.monotonic()) / 3600
    try:
        run_study_file(part, folder, device=place, leave_out_failing=True, max_hours=hours, progress=False)
    except llmseg.Terminated:
        sys.exit(STOPPED)


def _stop_launcher(process: BaseProcess) -> int | None:
    """Let a launcher write its checkpoint, and end it; return its exit code."""
    if process.is_alive():
        process.terminate()
        process.join(8)
        process.kill()
    process.join()
    return process.exitcode


def _count_finished(folder: Path) -> int:
    if not any(folder.glob("*/study.json")):
        return 0
    return sum(status.finished for status in read_study_status(folder))


def _collect(setting: Setting, grid: StudyFile, folder: Path) -> dict[str, Any]:
    collect_studies(folder, setting.out / "study")
    return _describe(setting, grid)


def _describe(setting: Setting, grid: StudyFile) -> dict[str, Any]:
    """Return a line per finished cell, and what is left."""
    collected = _read(setting)
    names = [each.name for each in find_contenders(grid.pipelines)]
    wanted = [(_store_name(dataset), name) for dataset in grid.datasets for name in names]
    done = {(cell.dataset, cell.pipeline) for cell in collected.cells}
    failures = [str(failure) for study in collected.studies.values() for failure in study.failures]
    return {
        "cells": [_describe_cell(cell, collected) for cell in collected.cells],
        "left": [f"{dataset}: {name}" for dataset, name in wanted if (dataset, name) not in done],
        "failures": failures,
    }


def _describe_cell(cell: Any, collected: Collected) -> dict[str, Any]:
    scores = collected.scores[cell.key]
    dice = scores[scores["measure"] == "dice"].groupby("size")["value"].mean()
    run: Mapping[str, Any] = cell.facts.get("run", {})
    return {
        **{name: getattr(cell, name) for name in ("dataset", "pipeline", "seed")},
        "dice": {str(size): float(value) for size, value in dice.items()},
        **{name: cell.facts.get(name) for name in ("epochs", "images_seen", "seconds")},
        **{name: run.get(name) for name in ("memory_gb", "joules")},
        "training_seconds": run.get("seconds"),
    }
