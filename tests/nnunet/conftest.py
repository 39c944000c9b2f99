from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from llmseg.data.folder import FolderStore
from llmseg.nnunet.folder import BUDGET, RECORD, Baseline, NnunetTraining

LOG = """2024-04-23 15:22:40.711169: Epoch 0 
2024-04-23 15:22:40.724555: Current learning rate: 0.01 
2024-04-23 15:23:41.803760: train_loss 0.25 
2024-04-23 15:23:41.832845: val_loss -0.125 
2024-04-23 15:23:41.869548: Pseudo dice [0.5] 
2024-04-23 15:23:41.895059: Epoch time: 61.1 s 
"""  # noqa: W291


def _masks(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Predictions and references, two of the references empty, and one of these predicted so."""
    random = np.random.default_rng(5)
    pairs = [(random.random((9, 7)) > 0.4, random.random((9, 7)) > 0.5) for _ in range(count)]
    empty = np.zeros((9, 7), bool)
    return [(empty, empty), (pairs[1][0], empty), *pairs[2:]]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Twelve cases of 9 x 7 pixels, two of them without foreground."""
    for kind in ("images", "masks"):
        (tmp_path / "data" / kind).mkdir(parents=True)
    random = np.random.default_rng(0)
    for index, (_, reference) in enumerate(_masks(12)):
        image = random.integers(0, 256, (9, 7), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / "data" / "images" / f"c{index:02d}.png")
        Image.fromarray(reference.astype(np.uint8) * 255).save(tmp_path / "data" / "masks" / f"c{index:02d}.png")
    return FolderStore(tmp_path / "data" / "images", tmp_path / "data" / "masks")


@pytest.fixture
def make_fold(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a fold's folder as nnU-Net leaves it, with masks of the twelve cases of ``store``."""

    def write(label: str = "1", save: Callable[[np.ndarray, Path], None] | None = None) -> Path:
        fold = tmp_path / "fold_0"
        (fold / "validation").mkdir(parents=True)
        (fold / "training_log_2024_4_23_15_22_40.txt").write_text(LOG)
        cases = []
        for index, (predicted, reference) in enumerate(_masks(12)):
            path = fold / "validation" / (f"c{index:02d}.png" if save is None else f"c{index:02d}.nii.gz")
            (save or _save)(predicted.astype(np.uint8), path)
            tp, fp = int((predicted & reference).sum()), int((predicted & ~reference).sum())
            fn, tn = int((~predicted & reference).sum()), int((~predicted & ~reference).sum())
            dice = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else float("nan")
            metrics = {"Dice": dice, "TP": tp, "FP": fp, "FN": fn, "TN": tn}
            cases.append({"metrics": {label: metrics}, "prediction_file": f"/elsewhere/{path.name}"})
        mean = {"Dice": float(np.nanmean([case["metrics"][label]["Dice"] for case in cases]))}
        summary = {"foreground_mean": mean, "mean": {label: mean}, "metric_per_case": cases}
        (fold / "validation" / "summary.json").write_text(json.dumps(summary))
        return fold

    return write


def _save(values: np.ndarray, path: Path) -> None:
    Image.fromarray(values).save(path)


@pytest.fixture
def begin_training(tmp_path: Path) -> Callable[[FolderStore], NnunetTraining]:
    """A function that writes a baseline of a store with a training that was interrupted."""

    def begin(store: FolderStore) -> NnunetTraining:
        folder = tmp_path / "out"
        training = folder / "trainings" / "4-iterations-2-epochs-seed-0"
        training.mkdir(parents=True)
        (training / BUDGET).write_text(json.dumps({"epochs": 2, "iterations": 4, "seconds": None, "seed": 0}))
        split = {"train": [], "validation": [], "test": []}
        facts = {"store": {"digest": store.digest}, "split": split, "cases": {}}
        (folder / RECORD).write_text(json.dumps({"status": "prepared", "dataset": "Dataset001_x", **facts}))
        return Baseline.open(folder).trainings[0]

    return begin
