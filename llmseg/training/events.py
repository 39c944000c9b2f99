"""What happens in a training: the events that the loop yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """A training step that was taken; its gradients are still in the parameters.

    Attributes:
        epoch: The running epoch, from 0.
        index: Number of the step over all epochs, from 0.
        ids: The cases of the batch.
        loss: The loss of the batch, a scalar on the device.
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


Event: TypeAlias = Step | EvaluatedBatch | Epoch
