"""nnU-Net's own trainer with a budget: it decides how many steps there are, and leaves each step as it is."""

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

    The environment variable ``LLMSEG_NNUNET_BUDGET`` names a JSON file with ``epochs``, ``iterations`` or ``seconds``
    (the other is null), and ``seed``. The learning rate falls to zero over these epochs. Validation gets a step for
    every five of training, as in the standard trainer. Each epoch starts from a seed of its own. So a training that was
    interrupted ends like one that was not, if augmentation runs in this process.
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
        # The parameters have the names that nnU-Net reads from this signature to store them in its checkpoints.
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
            # An epoch has at least one step, however short its share of the seconds is.
            outputs = [self.train_step(next(self.dataloader_train))]
            while self._has_further_steps(epoch, len(outputs)):
                outputs.append(self.train_step(next(self.dataloader_train)))
            self.on_train_epoch_end(outputs)
            with torch.no_grad():
                self.on_validation_epoch_start()
                steps = range(max(1, round(len(outputs) / 5)))
                self.on_validation_epoch_end([self.validation_step(next(self.dataloader_val)) for _ in steps])
            self.on_epoch_end()
        self.on_train_end()

    def save_checkpoint(self, filename: str) -> None:
        """Write a checkpoint so that a process that is killed leaves the earlier one whole."""
        super().save_checkpoint(f"{filename}.part")
        if Path(f"{filename}.part").is_file():
            Path(f"{filename}.part").replace(filename)

    def _has_further_steps(self, epoch: int, taken: int) -> bool:
        """Return whether the epoch has further steps after those that were taken."""
        iterations: int | None = self.budget["iterations"]
        epochs: int = self.budget["epochs"]
        if iterations is not None:
            # The differences of the rounded multiples: they sum to all iterations, and differ by at most one.
            return taken < iterations * (epoch + 1) // epochs - iterations * epoch // epochs
        return self._spent_seconds(epoch) < float(self.budget["seconds"]) * (epoch + 1) / epochs

    def _spent_seconds(self, epoch: int) -> float:
        """Return the seconds of all epochs up to now; times between an interruption and its end are not counted."""
        starts, ends = (self.logger.get_value(f"epoch_{what}_timestamps", step=None) for what in ("start", "end"))
        return float(sum(ends[:epoch]) - sum(starts[:epoch]) + time.time() - starts[epoch])

    def _start_from_seed(self, index: int) -> None:
        """Seed all generators: 0 for the weights, k + 1 for epoch k."""
        # Trainings have fewer than 10**5 epochs, so that those of different seeds have no generator seed in common.
        seed = 10**5 * (self.budget["seed"] + 1) + index
        random.seed(seed)
        np.random.seed(seed % 2**32)  # numpy takes 32 bits
        torch.manual_seed(seed)
