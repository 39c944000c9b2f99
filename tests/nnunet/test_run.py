"""nnU-Net itself, on a dozen small cases: two epochs of two iterations."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, hold_out
from llmseg.nnunet import Baseline, Budget
from llmseg.nnunet.folder import BUDGET, TRAINER, NnunetTraining
from llmseg.nnunet.launch import run_step
from llmseg.nnunet.train import train_nnunet
from llmseg.stats import Table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Bright discs on noise, 48 x 40 pixels; one image has none."""
    folder = tmp_path_factory.mktemp("discs")
    random = np.random.default_rng(0)
    rows, columns = np.ogrid[:48, :40]
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    for index in range(12):
        row, column, radius = [*random.integers(12, 30, 2).tolist(), int(random.integers(5, 11)) if index else -1]
        mask = (rows - row) ** 2 + (columns - column) ** 2 <= radius * abs(radius)
        image = np.clip(random.normal(60, 20, mask.shape) + 120 * mask, 0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / "images" / f"disc {index}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"disc {index}.png")
    return FolderStore(folder / "images", folder / "masks")


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


def test_from_a_store_to_a_table_and_on_after_an_interruption(store, tmp_path, call):
    holdout, out = hold_out(store, fraction=0.25), tmp_path / "out"
    holdout.save(tmp_path / "holdout.json")
    cases = ["--images", store.images, "--masks", store.masks, "--holdout", tmp_path / "holdout.json"]
    budget = ["--epochs", 2, "--iterations", 2, "--split-of", "gpt-o3", "--device", "cpu", "--json", "-q"]
    code, output, error = call("nnunet", "run", "--out", out, *cases, *budget)
    assert code == 0, error
    (record,) = json.loads(output)

    training = Baseline.open(out).trainings[0]
    summary = json.loads((training.fold / "validation" / "summary.json").read_text())
    assert record["nnunet"]["foreground_mean"] == summary["foreground_mean"]["Dice"]
    assert record["images_seen"] == 4 * training.baseline.batch_size
    assert record["split"]["test"] == list(holdout.test_ids)
    table = Table.from_evaluations([training.folder / "evaluation"])
    assert table.contenders == ("nnunet-v2@4-iterations-2-epochs",)
    assert set(table.frame["case"]) == set(holdout.test_ids)
    history = (training.folder / "history.csv").read_text()
    rates = [float(line.split(",")[-1]) for line in history.splitlines()[1:]]
    assert rates == [0.01, round(0.01 * 0.5**0.9, 5)]

    again = _interrupted(Baseline.open(out), tmp_path / "again")
    assert len(list(again.fold.glob("training_log_*.txt"))) == 2
    for name in ("summary.json", *(path.name for path in (training.fold / "validation").glob("*.png"))):
        whole, continued = ((done.fold / "validation" / name).read_bytes() for done in (training, again))
        assert whole.replace(bytes(out), b"") == continued.replace(bytes(again.baseline.folder), b"")


def _interrupted(baseline: Baseline, folder) -> NnunetTraining:
    """Train again beside it, stop after the first epoch, go on."""
    shutil.copytree(baseline.folder, folder, ignore=shutil.ignore_patterns("trainings"))
    begun = NnunetTraining(Baseline(folder), folder / "trainings" / baseline.trainings[0].folder.name)
    begun.folder.mkdir(parents=True)
    shutil.copy(baseline.trainings[0].folder / BUDGET, begun.folder)

    def watch():
        if list(begun.fold.glob("checkpoint_*.pth")):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_step(
            folder,
            "train",
            baseline.dataset,
            TRAINER,
            "cpu",
            log=begun.folder / "train.log",
            results=begun.folder / "results",
            budget=begun.folder / BUDGET,
            watch=watch,
        )
    assert not begun.trained
    return train_nnunet(Baseline(folder), Budget.of_epochs(2, 2), device="cpu", progress=False)
