"""What happens in a training, as events.

The loop yields steps, evaluated batches and epochs. Observers are told these, and before and after them that the
training begins and ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """A training step that was taken; its gradients are still in the parameters.

    Attributes:
        epoch: The running epoch, from 0.
        index: Number of the step over all epochs, from 0.
        ids: The cases of the batch.
        loss: The loss of the batch, a scalar on the device.

    Example:
        >>> import torch
        >>> float(Step(epoch=0, index=7, ids=("a", "b"), loss=torch.tensor(0.25)).loss)
        0.25
    """

    epoch: int
    index: int
    ids: tuple[str, ...]
    loss: Tensor


@dataclass(frozen=True)
class EvaluatedBatch:
    """A batch that was evaluated.

    Attributes:
        phase: Whether it belongs to a validation or to the test.
        ids: The cases of the batch.
        output: The network's output, float32 ``[B, 1, h, w]``.
        loss: The loss of the batch, a scalar.
        listed: The scores that the script would append to its list: one for the batch, or one per case.
        cases: The score of every case, ``[B]``.

    Example:
        >>> import torch
        >>> output = torch.zeros(2, 1, 64, 64)
        >>> cases = torch.tensor([0.4, 0.6])
        >>> EvaluatedBatch("test", ("a", "b"), output, torch.tensor(0.7), cases.mean(), cases).ids
        ('a', 'b')
    """

    phase: Literal["validation", "test"]
    ids: tuple[str, ...]
    output: Tensor
    loss: Tensor
    listed: Tensor
    cases: Tensor


@dataclass(frozen=True)
class Epoch:
    """An epoch that is complete, its validation included.

    Attributes:
        index: Its number, from 0.
        train_loss: Mean training loss, as the recipe averages it.
        validation_loss: Mean validation loss.
        listed: The scores of its validation, as the script lists them.
        rate: The learning rate of the next epoch.
        seconds: How long it took.
    """

    index: int
    train_loss: float
    validation_loss: float
    listed: tuple[float, ...]
    rate: float
    seconds: float


@dataclass(frozen=True)
class Beginning:
    """A training that begins, or that continues after an interruption.

    Attributes:
        folder: The run folder.
        record: The content of its ``run.json`` so far: label, recipe, split, device, versions.
        step: Number of steps already taken: 0, or where an interrupted training continues.
        steps: Number of steps of the whole training.

    Example:
        >>> Beginning(Path("runs/new"), record={}, step=0, steps=400).steps
        400
    """

    folder: Path
    record: dict[str, Any]
    step: int
    steps: int

    @property
    def epochs(self) -> int:
        """Number of epochs of the whole training."""
        return int(self.record["recipe"]["fit"]["epochs"])

    @property
    def steps_per_epoch(self) -> int:
        """Number of steps of an epoch."""
        return self.steps // self.epochs


@dataclass(frozen=True)
class End:
    """The end of a training, or of one of its parts.

    Attributes:
        outcome: ``done`` if the run is finished; ``stopped`` if it was interrupted and the same call continues it;
            ``failed`` if an error ended it.
        reason: The message of what stopped it, or of the error; empty if the run is finished.

    Example:
        >>> End("stopped", "stopped by SIGTERM after step 24").outcome
        'stopped'
    """

    outcome: Literal["done", "stopped", "failed"]
    reason: str = ""


Event: TypeAlias = Step | EvaluatedBatch | Epoch
"""What the loop of a training yields."""

ObservedEvent: TypeAlias = Beginning | Event | End
"""What an observer is told: the beginning, what the loop yields, and the end."""
