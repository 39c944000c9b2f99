"""nnU-Net's own trainer, to a budget: what it does in a step is untouched, only how many steps there are."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class LlmsegTrainer(nnUNetTrainer):  # type: ignore[misc]
    """The standard trainer with epochs that divide a number of iterations, or seconds, evenly.

    The file that ``LLMSEG_NNUNET_BUDGET`` names says ``epochs``, ``iterations`` or ``seconds`` (the other is null), and
    ``seed``. The poly schedule falls over these epochs; validation gets a step for every five of training, as in the
    standard trainer. Each epoch starts from a seed of its own, so that where augmentation runs in this process, a
    training that was interrupted ends like one that was not.
    """

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008
    ) -> None:
        self.budget = json.loads(Path(os.environ["LLMSEG_NNUNET_BUDGET"]).read_text(encoding="utf-8"))
        self._start_from_seed(0)
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = self.budget["epochs"]
        self.save_every = max(1, self.num_epochs // 20)

    def run_training(self) -> None:
        """Train, validate and note every epoch, as the standard trainer does."""
        self.on_train_start()
        for epoch in range(self.current_epoch, self.num_epochs):
            self._start_from_seed(epoch + 1)
            self.on_epoch_start()
            self.on_train_epoch_start()
            taken = [self.train_step(next(self.dataloader_train))]
            while self._goes_on(epoch, len(taken)):
                taken.append(self.train_step(next(self.dataloader_train)))
            self.on_train_epoch_end(taken)
            with torch.no_grad():
                self.on_validation_epoch_start()
                steps = range(max(1, round(len(taken) / 5)))
                self.on_validation_epoch_end([self.validation_step(next(self.dataloader_val)) for _ in steps])
            self.on_epoch_end()
        self.on_train_end()

    def save_checkpoint(self, filename: str) -> None:
        """Write a checkpoint so that a process that is killed leaves the earlier one whole."""
        super().save_checkpoint(f"{filename}.part")
        if Path(f"{filename}.part").is_file():
            Path(f"{filename}.part").replace(filename)

    def _goes_on(self, epoch: int, taken: int) -> bool:
        """Return whether the epoch has further steps."""
        iterations: int | None = self.budget["iterations"]
        epochs: int = self.budget["epochs"]
        if iterations is not None:
            return taken < iterations * (epoch + 1) // epochs - iterations * epoch // epochs
        return self._spent(epoch) < float(self.budget["seconds"]) * (epoch + 1) / epochs

    def _spent(self, epoch: int) -> float:
        """Return the seconds of all epochs up to now, those before an interruption included."""
        starts, ends = (self.logger.get_value(f"epoch_{what}_timestamps", step=None) for what in ("start", "end"))
        return float(sum(ends[:epoch]) - sum(starts[:epoch]) + time.time() - starts[epoch])

    def _start_from_seed(self, place: int) -> None:
        number = 10**5 * (self.budget["seed"] + 1) + place
        random.seed(number)
        np.random.seed(number % 2**32)
        torch.manual_seed(number)
