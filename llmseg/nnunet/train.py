"""Training nnU-Net to a budget, and predicting the held-out cases by it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from llmseg.errors import UserError
from llmseg.files import make_folder, write_text
from llmseg.nnunet.budget import Budget
from llmseg.nnunet.folder import BUDGET, TRAINER, Baseline, NnunetTraining
from llmseg.nnunet.launch import run_step
from llmseg.nnunet.log import log_files, read_logs
from llmseg.training.resume import lock_folder


def train_nnunet(
    baseline: Baseline, budget: Budget, *, seed: int = 0, device: str = "auto", progress: bool = True
) -> NnunetTraining:
    """Train nnU-Net's 2D configuration to a budget, and let it predict its validation cases.

    The same call made again continues an interrupted training from its last checkpoint, and returns a finished one as
    it is. With the same seed, a training on the CPU is repeated to the last bit.

    Args:
        baseline: The data.
        budget: What the training may take.
        seed: Seed of weights and augmentation.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        progress: Whether to show a bar over the epochs.

    Raises:
        UserError: nnU-Net is missing or fails, the device is not there, or another process is at work here.
        Terminated: The process received SIGTERM.

    Example:
        >>> baseline = Baseline.open("nnunet/hrf")  # doctest: +SKIP
        >>> train_nnunet(baseline, Budget.of_epochs(20))  # doctest: +SKIP
    """
    # Planned first, so that a budget in images and the same one in iterations have the same folder.
    budget = budget.planned(baseline.batch_size)
    training = NnunetTraining(baseline, baseline.folder / "trainings" / f"{budget.name}-seed-{seed}")
    if training.trained:
        return training
    device = _choose_device(device)
    with lock_folder(training.folder):
        write_text(training.folder / BUDGET, json.dumps({**asdict(budget), "seed": seed}) + "\n")
        with tqdm(total=budget.epochs, desc=f"nnU-Net {budget.name}", unit="epoch", disable=not progress) as bar:
            run_step(
                baseline.folder,
                "train",
                baseline.dataset,
                TRAINER,
                device.partition(":")[0],
                log=training.folder / "train.log",
                device=device,
                results=training.folder / "results",
                budget=training.folder / BUDGET,
                watch=_follow_logs(training.fold, bar),
                progress=False,
            )
    if not training.trained:
        raise UserError(f"nnU-Net's training in {training.folder} ended without a validation; give the command again")
    return training


def predict_nnunet(training: NnunetTraining, *, device: str = "auto", progress: bool = True) -> Path:
    """Predict the held-out cases, and return the folder of nnU-Net's masks. Complete predictions are kept.

    Args:
        training: A training that has ended.
        device: As for :func:`train_nnunet`.
        progress: Whether to say what is done.

    Raises:
        UserError: The training has not ended, or nnU-Net fails.
        Terminated: The process received SIGTERM.

    Example:
        >>> sorted(predict_nnunet(training).iterdir())[0].name  # doctest: +SKIP
    """
    baseline, out = training.baseline, training.predicted
    if not training.trained:
        raise UserError(f"the training in {training.folder} has not ended; go on with llmseg nnunet train")
    if out.is_dir():
        return out
    device = _choose_device(device)
    with lock_folder(training.folder):
        # The folder has its final name only when all masks are in it.
        unfinished = out.with_name("predicting")
        shutil.rmtree(unfinished, ignore_errors=True)
        make_folder(unfinished)
        run_step(
            baseline.folder,
            "predict",
            *(str(path.absolute()) for path in (training.model, baseline.folder / "test", unfinished)),
            device.partition(":")[0],
            log=training.folder / "predict.log",
            device=device,
            results=training.folder / "results",
            budget=training.folder / BUDGET,
            progress=progress,
        )
        unfinished.replace(out)
    return out


def _choose_device(name: str) -> str:
    from llmseg.training.device import choose_device

    return str(choose_device(name))


def _follow_logs(fold: Path, bar: tqdm[Any]) -> Callable[[], None]:
    """Return a function that moves the bar to the last epoch in the logs."""
    size_before = -1

    def watch() -> None:
        nonlocal size_before
        files = log_files(fold)
        size = sum(path.stat().st_size for path in files)
        # It is called twice a second; logs of a thousand epochs are read only when they have grown.
        if size == size_before:
            return
        size_before = size
        try:
            last = read_logs(files).iloc[-1]
        except UserError:  # no epoch has ended yet
            return
        bar.update(int(last["epoch"]) - bar.n)
        bar.set_postfix_str(f"loss {last['train_loss']:.4f}, validation {last['validation_loss']:.4f}")

    return watch
