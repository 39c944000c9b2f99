"""Turning the events of a training into the files of a run folder."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from llmseg.data.store import Store
from llmseg.files import write_atomically, write_text
from llmseg.loop import Epoch, Evaluated, Event
from llmseg.recipe import Recipe, Split

_PACKAGES = ("llmseg", "torch", "monai", "numpy", "Pillow", "opencv-python-headless", "scikit-learn")


def run_record(
    recipe: Recipe, store: Store, split: Split, label: str, seed: int, device: str, parameters: int
) -> dict[str, Any]:
    """Return what ``run.json`` says of a run that begins."""
    return {
        "status": "running",
        "label": label,
        "recipe": recipe.to_dict(),
        "recipe_digest": recipe.digest,
        "store": {"name": store.name, "cases": len(store.ids), "digest": store.digest},
        "split": asdict(split),
        "split_digest": split.digest,
        "seed": seed,
        "device": device,
        "precision": "fp32",
        "parameters": parameters,
        "versions": {"python": platform.python_version(), **_versions()},
        "hardware": hardware(),
        "command": sys.argv,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _versions() -> dict[str, str]:
    installed = {}
    for name in _PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def hardware() -> dict[str, Any]:
    """Return what the results and timings of this machine depend on."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


class RunWriter:
    """Writes a run folder as its training goes on; every file is replaced as a whole."""

    def __init__(self, folder: Path, record: dict[str, Any], groups: Mapping[str, str]) -> None:
        self.folder, self.record, self.groups = folder, record, groups
        self.began = time.perf_counter()
        self.history: list[dict[str, Any]] = []
        self.listed: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []

    def start(self) -> None:
        """Make the folder and say that the run has begun."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_record()

    def take(self, event: Event) -> None:
        """Note what an event brings; write the history after every epoch."""
        if isinstance(event, Epoch):
            self._take_epoch(event)
        elif isinstance(event, Evaluated) and event.phase == "test":
            self._take_test(event)

    def finish(self, net: nn.Module) -> None:
        """Write scores and weights, then say that the run is done."""
        self._write_frame("listed.csv", self.listed, ["phase", "epoch", "position", "value"])
        self._write_frame("scores.csv", self.scores, ["phase", "case", "group", "measure", "value"])
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
        # One note only: safetensors writes several in no fixed order, and equal runs shall give equal bytes.
        notes = {"recipe_digest": self.record["recipe_digest"]}
        write_atomically(self.folder / "weights.safetensors", lambda path: save_file(weights, path, metadata=notes))
        # Last, so that a folder that says it is done has everything.
        self.record |= {"status": "done", "seconds": round(time.perf_counter() - self.began, 3)}
        self._write_record()

    def _take_epoch(self, event: Epoch) -> None:
        listed = event.listed
        self.history.append(
            {
                "epoch": event.index + 1,
                "train_loss": event.train_loss,
                "validation_loss": event.validation_loss,
                "validation_score": sum(listed) / len(listed),
                "rate": event.rate,
                "seconds": round(event.seconds, 3),
            }
        )
        self.listed += [
            {"phase": "validation", "epoch": event.index + 1, "position": position, "value": value}
            for position, value in enumerate(listed)
        ]
        self._write_frame("history.csv", self.history, list(self.history[0]))

    def _take_test(self, event: Evaluated) -> None:
        position = sum(row["phase"] == "test" for row in self.listed)
        epochs = len(self.history)
        self.listed += [
            {"phase": "test", "epoch": epochs, "position": position + offset, "value": value}
            for offset, value in enumerate(event.listed.tolist())
        ]
        self.scores += [
            {"phase": "test", "case": id, "group": self.groups[id], "measure": "own-dice", "value": value}
            for id, value in zip(event.ids, event.cases.tolist(), strict=True)
        ]

    def _write_record(self) -> None:
        write_text(self.folder / "run.json", json.dumps(self.record, indent=2) + "\n")

    def _write_frame(self, name: str, rows: list[dict[str, Any]], columns: list[str]) -> None:
        frame = pd.DataFrame(rows, columns=columns)
        # 17 digits give back the very same float64.
        write_atomically(
            self.folder / name, lambda path: frame.to_csv(path, index=False, float_format="%.17g", lineterminator="\n")
        )
