"""The files of a run folder: ``run.json``, tables, weights and checkpoints, written from the events of a training.

:class:`llmseg.Run` reads them.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save
from torch import nn

from llmseg.data.origin import find_dataset_id
from llmseg.data.store import Store
from llmseg.data.store_images import digest_images
from llmseg.data.store_source import describe_source, find_reading, without_places
from llmseg.errors import UserError
from llmseg.files import clear_leftovers, make_folder, read_json_if_any, write_bytes, write_text
from llmseg.files.notes import warn
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.training.checkpoint import read_checkpoint, write_checkpoint
from llmseg.training.code import UNKNOWN, digest_code, join_codes
from llmseg.training.events import Epoch, EvaluatedBatch, Event
from llmseg.training.hardware import hardware
from llmseg.training.places import PRIVATE, describe_command
from llmseg.training.state import State
from llmseg.training.usage import Usage

_PACKAGES = (
    *("llmseg", "torch", "monai", "timm", "dynamic-network-architectures"),
    *("numpy", "Pillow", "opencv-python-headless", "scikit-learn", "h5py"),
)
_FILES = ("run.json", PRIVATE, "weights.safetensors", "last_good_weights.safetensors", "state.pt")
SEEN_DIGITS = 16
"""Digits of an image's digest that ``run.json`` keeps. Among a million images, two share 16 of them by chance of 1 in
40 million."""

_COLUMNS = {
    "history": ["epoch", "train_loss", "validation_loss", "validation_score", "rate"],
    "timing": ["epoch", "seconds"],
    "listed": ["phase", "epoch", "position", "value"],
    "scores": ["phase", "case", "group", "measure", "value"],
}


def describe_run(
    recipe: Recipe,
    store: Store,
    split: Split,
    net: nn.Module,
    how: dict[str, Any],
    *,
    label: str,
    seed: int,
    holdout: str | None,
    start: dict[str, Any] | None = None,
    cache: bool = False,
) -> dict[str, Any]:
    """Return the content of ``run.json`` for a run that begins.

    It is published, so it has names of files and folders and no paths, and neither user nor host.

    Args:
        recipe: What is trained.
        store: The cases.
        split: How they are divided.
        net: The network.
        how: What may change the last bits of the result, such as device and precision.
        label: Name of the run.
        seed: Its seed.
        holdout: Digest of the held-out test set, if there is one.
        start: What is to be said of the run that it starts from.
        cache: Whether the digests of the images may be kept in the cache.
    """
    images = digest_images(store, (*split.train, *split.validation), cache=cache)
    return {
        "status": "running",
        "label": label,
        "recipe": recipe.to_dict(),
        "recipe_digest": recipe.digest,
        "store": {"name": store.name, "cases": len(store.ids), "digest": store.digest},
        "source": without_places(describe_source(store)),
        "reading": asdict(find_reading(store)),
        "prepared_as": find_dataset_id(store),
        "split": asdict(split),
        "split_digest": split.digest,
        "seen_images": sorted({digest[:SEEN_DIGITS] for digest in images.values()}),
        "holdout": holdout,
        "seed": seed,
        **({} if start is None else {"start": start}),
        "how": how,
        "parameters": sum(p.numel() for p in net.parameters()),
        "versions": {"python": platform.python_version(), **list_versions()},
        "code": digest_code(),
        "hardware": hardware(),
        "command": describe_command(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def list_versions() -> dict[str, str]:
    """Return the installed packages on which results depend, with their versions."""
    installed = {}
    for name in _PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def clear_run(folder: Path) -> None:
    """Remove what a killed process left half-written in a run folder; of a finished run, also its checkpoint."""
    checkpoint = folder / "checkpoint"
    if read_json_if_any(folder / "run.json").get("status") == "done":
        shutil.rmtree(checkpoint, ignore_errors=True)
    for inner in (folder, checkpoint):
        clear_leftovers(inner, *(f"{name}.csv" for name in _COLUMNS), *_FILES)


class BegunElsewhere(UserError):
    """A checkpoint was written with another device, precision or version, so that this process cannot go on with it."""


class RunWriter:
    """Writes a run folder as its training goes on. Every file is replaced as a whole.

    Attributes:
        folder: The run folder.
        record: The content of ``run.json``.
        state: Where the training stands; it is stored in checkpoints.
        groups: Group of each case.
        checkpoint_every: Seconds between checkpoints.
        usage: What the training takes; ``None`` if nobody counts it.
        began: When the run began, by ``time.perf_counter``; earlier calls count as if they had ended just before.
        stored: When the last checkpoint was written.
        good_weights: The weights after the last epoch whose losses were numbers; ``None`` if there was none.
        rows: The rows of each table so far.
    """

    def __init__(
        self,
        folder: Path,
        record: dict[str, Any],
        state: State,
        groups: Mapping[str, str],
        checkpoint_every: float,
        usage: Usage | None = None,
    ) -> None:
        self.folder, self.record, self.state, self.groups = folder, record, state, groups
        self.checkpoint_every, self.usage = checkpoint_every, usage
        self.began = self.stored = time.perf_counter()
        self.good_weights: dict[str, torch.Tensor] | None = None
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _COLUMNS}

    def start(self) -> None:
        """Write ``run.json``: the run has begun."""
        self._write_record()

    def restore(self) -> bool:
        """Continue from the last checkpoint, if there is one; return whether there is.

        Raises:
            BegunElsewhere: The checkpoint is of another split, which another version of a library may have drawn, or
                was computed with other numerics.
        """
        saved, problem = read_checkpoint(self._checkpoints, ("state", "rows", "seconds", "split_digest", "how"))
        if problem:
            warn(problem)
        if saved is not None:
            if saved["split_digest"] != self.record["split_digest"]:
                raise BegunElsewhere(f"{self.folder} was begun with another split; use the versions its run.json names")
            # Earlier versions knew no such choice.
            begun = {**saved["how"], "winograd": saved["how"].get("winograd", ())}
            if begun != self.record["how"]:
                differing = {name: value for name, value in begun.items() if value != self.record["how"].get(name)}
                if differing.get("winograd"):  # a list of layers would hide the rest
                    differing["winograd"] = "convolutions"
                earlier = ", ".join(f"{name} {value}" for name, value in differing.items())
                raise BegunElsewhere(
                    f"{self.folder} was begun with {earlier}; ask for the same or choose another --out"
                )
            self.record["code"] = join_codes(saved.get("code", UNKNOWN), self.record["code"])
            self.state.restore(saved["state"])
            self.rows = saved["rows"]
            self.began -= saved["seconds"]
            if self.usage is not None:
                self.usage.restore(saved.get("usage", {}))
            return True
        return False

    def take(self, event: Event) -> None:
        """Collect what an event brings. After an epoch, write the history; when it is time, write a checkpoint."""
        if self.usage is not None:
            self.usage.look()
        if isinstance(event, Epoch):
            self._take_epoch(event)
        elif isinstance(event, EvaluatedBatch) and event.phase == "test":
            self._take_test(event)
        # Between two batches that are evaluated the state is in no order that could be continued from.
        if not isinstance(event, EvaluatedBatch) and time.perf_counter() - self.stored > self.checkpoint_every:
            self.store()

    def store(self) -> None:
        """Write a checkpoint; possible after a step or an epoch."""
        make_folder(self._checkpoints)
        saved = {
            "state": self.state.to_dict(),
            "rows": self.rows,
            "seconds": self._count_seconds(),
            "split_digest": self.record["split_digest"],
            "how": self.record["how"],
            "code": self.record["code"],
            "usage": self._count_usage(),
        }
        write_checkpoint(self._checkpoints, saved)
        self.stored = time.perf_counter()

    def rescue(self) -> Path | None:
        """Write the weights after the last epoch whose losses were numbers; return the file, or ``None`` without any.

        Epochs before the last start of the process do not count: checkpoints do not hold these weights.
        """
        if self.good_weights is None:
            return None
        self._write_weights("last_good_weights.safetensors", self.good_weights)
        return self.folder / "last_good_weights.safetensors"

    def finish(self) -> None:
        """Write tables and weights, then that the run is done, and remove the checkpoint.

        The order makes the end safe. ``run.json`` says "done" last, so that a folder that says it has everything. The
        checkpoint goes after that: a process that is killed in between leaves a finished run and a useless file, in the
        other order it would leave an unfinished run that starts from nothing.
        """
        # Weights first: they are what took the time, and tables may hold names that cannot be written.
        digest = self._write_weights("weights.safetensors", self._copy_weights())
        for name in _COLUMNS:
            self._write_rows(name)
        self.record |= {"status": "done", "seconds": round(self._count_seconds(), 3), **self._count_usage()}
        self.record["weights_digest"] = digest
        self._write_record()
        shutil.rmtree(self._checkpoints, ignore_errors=True)

    def _copy_weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().cpu().clone() for name, tensor in self.state.evaluated_net.state_dict().items()}

    def _write_weights(self, name: str, weights: Mapping[str, torch.Tensor]) -> str:
        # One entry only: safetensors writes several in no fixed order, and equal runs must give equal bytes.
        header = {"recipe_digest": self.record["recipe_digest"]}
        content = save({name: tensor.contiguous() for name, tensor in weights.items()}, metadata=header)
        write_bytes(self.folder / name, content)
        return hashlib.sha256(content).hexdigest()

    def _count_seconds(self) -> float:
        """Return the time spent on the run, with that of earlier calls up to their last checkpoint."""
        return time.perf_counter() - self.began

    def _count_usage(self) -> dict[str, float]:
        if self.usage is None:
            return {}
        self.usage.look(again=True)
        return self.usage.to_dict()

    @property
    def _checkpoints(self) -> Path:
        return self.folder / "checkpoint"

    def _take_epoch(self, event: Epoch) -> None:
        epoch, listed = event.index + 1, event.listed
        self.rows["history"].append(
            {
                "epoch": epoch,
                "train_loss": event.train_loss,
                "validation_loss": event.validation_loss,
                "validation_score": sum(listed) / len(listed),
                "rate": event.rate,
            }
        )
        self.rows["timing"].append({"epoch": epoch, "seconds": round(event.seconds, 3)})
        self.rows["listed"] += [
            {"phase": "validation", "epoch": epoch, "position": position, "value": value}
            for position, value in enumerate(listed)
        ]
        self._write_rows("history")
        self._write_rows("timing")
        if math.isfinite(event.train_loss) and math.isfinite(event.validation_loss):
            self.good_weights = self._copy_weights()

    def _take_test(self, event: EvaluatedBatch) -> None:
        position = sum(row["phase"] == "test" for row in self.rows["listed"])
        self.rows["listed"] += [
            {"phase": "test", "epoch": self.state.epoch, "position": position + offset, "value": value}
            for offset, value in enumerate(event.listed.tolist())
        ]
        self.rows["scores"] += [
            {"phase": "test", "case": id, "group": self.groups[id], "measure": "own-dice", "value": value}
            for id, value in zip(event.ids, event.cases.tolist(), strict=True)
        ]

    def _write_record(self) -> None:
        write_text(self.folder / "run.json", json.dumps(self.record, indent=2) + "\n")

    def _write_rows(self, name: str) -> None:
        frame = pd.DataFrame(self.rows[name], columns=_COLUMNS[name])
        # 17 significant digits are enough to read back the very same float64.
        text = frame.to_csv(index=False, float_format="%.17g", lineterminator="\n")
        write_text(self.folder / f"{name}.csv", text)
