"""The scores of a batch, as the scripts compute and list them: Dice, and what Keras calls ``MeanIoU``.

These are the scores that a script writes down itself. :mod:`llmseg.evaluation` has the one that is the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError
from llmseg.recipe.dice import Sizes, match_sizes, soft_dice
from llmseg.recipe.part import Part

if TYPE_CHECKING:
    from torch import Tensor


class Score(Part, ABC):
    """Base of every score of a batch.

    Attributes:
        over: Whether one value is taken over all pixels of the ``batch``, or one per ``case``.

    Example:
        >>> from llmseg import zoo
        >>> score: Score = zoo.TEXTBOOK.score
        >>> score.over
        'case'
    """

    over: Literal["batch", "case"]

    @abstractmethod
    def __call__(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return the values the script lists for a batch."""

    @abstractmethod
    def score_cases(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return one value per case, whatever the script lists."""

    @abstractmethod
    def collect(self, batches: Sequence[Tensor]) -> tuple[float, ...]:
        """Return what the script lists for a pass over all batches."""

    @abstractmethod
    def compute(self, output: Tensor, mask: Tensor, over: Literal["batch", "case"]) -> Tensor:
        """Compute the bare formula on output and mask of one size."""


@dataclass(frozen=True, kw_only=True)
class Dice(Score):
    """A Dice score as a script computes and lists it.

    Attributes:
        reads: What is compared with the threshold: the network's ``output`` as it is, or its ``sigmoid``.
        threshold: Values above it count as foreground; ``None`` keeps the values (soft Dice).
        over: One Dice over all pixels of the ``batch``, or one per ``case``.
        lists: What the script writes down: one value per ``batch`` (the mean of its cases if there is one per
            case), one per ``case``, or one per ``epoch`` (the mean of its batches).
        smooth: The constant above and below the fraction line. With 0, a case without foreground in mask and prediction
            gives not-a-number.
        smoothed: Whether the constant stands above and below the line (``both``), or ``below`` only. With ``below``, a
            case without foreground in mask and prediction scores 0.
        sizes: How output and mask are brought to one size, see :data:`llmseg.recipe.dice.Sizes`.
        mask_threshold: After output and mask have one size, mask values above it become 1 and others 0; ``None`` takes
            the mask as it is.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> score = zoo.get("gpt-4").recipe.score  # compares raw logits with 0.5
        >>> score(torch.full((1, 1, 2, 2), 0.4), torch.ones(1, 1, 2, 2))
        tensor([2.5000e-07])
    """

    reads: Literal["output", "sigmoid"]
    threshold: float | None
    over: Literal["batch", "case"]
    lists: Literal["batch", "case", "epoch"]
    smooth: float
    smoothed: Literal["both", "below"]
    sizes: Sizes
    mask_threshold: float | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.over == "batch" and self.lists == "case":
            raise UserError("a Dice over the batch has no value per case; set over=case or lists=batch")

    def __call__(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return the values the script lists for a batch: ``[B]`` if it lists cases, else ``[1]``.

        Args:
            output: Network output ``[B, 1, h, w]``, float32.
            mask: Masks ``[B, 1, H, W]``, float32 in 0..1.
        """
        values = self.compute(*self._match(output, mask), over=self.over)
        return values if self.lists == "case" else values.mean().reshape(1)

    def collect(self, batches: Sequence[Tensor]) -> tuple[float, ...]:
        """Return what the script lists for a whole pass, from what it lists for each batch."""
        from torch import cat

        # As Python floats, so the mean of an epoch is taken in double precision.
        values = tuple(cat(list(batches)).tolist())
        return (sum(values) / len(values),) if self.lists == "epoch" else values

    def score_cases(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return the score of each case alone, ``[B]``, by the same formula."""
        return self.compute(*self._match(output, mask), over="case")

    def compute(self, output: Tensor, mask: Tensor, over: Literal["batch", "case"]) -> Tensor:
        """Compute the bare formula on an output and a mask of one size; the mask is taken as it is."""
        prediction = output.sigmoid() if self.reads == "sigmoid" else output
        if self.threshold is not None:
            prediction = (prediction > self.threshold).to(output.dtype)
        above = self.smooth if self.smoothed == "both" else 0.0
        return soft_dice(prediction, mask, over=over, smooth=self.smooth, above=above)

    def _match(self, output: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        output, mask = match_sizes(output, mask, self.sizes)
        if self.mask_threshold is not None:
            mask = (mask > self.mask_threshold).to(output.dtype)
        return output, mask


@dataclass(frozen=True, kw_only=True)
class MeanIoU(Score):
    """Keras' ``MeanIoU``: the mean of the IoU of foreground and of background.

    A class that neither mask nor prediction has is left out of the mean.

    Attributes:
        measure: ``mean-iou``, or the ``dice`` of the foreground of the same pixels, without smoothing.
        reads: Whether the prediction is the network's ``output`` or its ``sigmoid``.
        prediction: How a value becomes a class: ``rounded`` (one half is background), or ``truncated`` to a whole
            number, so that only 1 is foreground.
        mask: How a mask value becomes a class, in the same words.
        over: One value over all pixels of the ``batch``, or one per ``case``.
        lists: What the script writes down: one value per ``batch``, ``case`` or ``epoch``, as in
            :class:`llmseg.recipe.scores.Dice`.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> score = zoo.get("bing-copilot@tensorflow").recipe.score
        >>> score(torch.tensor([[[[3.0, -3.0]]]]), torch.tensor([[[[0.9, 0.0]]]]))  # 0.9 counts as background
        tensor([0.2500])
    """

    measure: Literal["mean-iou", "dice"]
    reads: Literal["output", "sigmoid"]
    prediction: Literal["rounded", "truncated"]
    mask: Literal["rounded", "truncated"]
    over: Literal["batch", "case"]
    lists: Literal["batch", "case", "epoch"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.over == "batch" and self.lists == "case":
            raise UserError("a score over the batch has no value per case; set over=case or lists=batch")

    def __call__(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return the values the script lists for a batch: ``[B]`` if it lists cases, else ``[1]``.

        Args:
            output: Network output ``[B, 1, H, W]``, float32.
            mask: Masks of the same size, float32 in 0..1.
        """
        values = self.compute(output, mask, over=self.over)
        return values if self.lists == "case" else values.mean().reshape(1)

    def collect(self, batches: Sequence[Tensor]) -> tuple[float, ...]:
        """Return what the script lists for a whole pass, from what it lists for each batch."""
        from torch import cat

        values = tuple(cat(list(batches)).tolist())
        return (sum(values) / len(values),) if self.lists == "epoch" else values

    def score_cases(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return the score of each case alone, ``[B]``, by the same formula."""
        return self.compute(output, mask, over="case")

    def compute(self, output: Tensor, mask: Tensor, over: Literal["batch", "case"]) -> Tensor:
        """Compute the measure on output and mask of one size."""
        prediction = _classify(output.sigmoid() if self.reads == "sigmoid" else output, self.prediction)
        truth = _classify(mask, self.mask)
        if self.measure == "dice":
            return soft_dice(prediction, truth, over=over, smooth=0.0)
        from torch import stack

        rows = 1 if over == "batch" else prediction.shape[0]
        p, t = prediction.reshape(rows, -1), truth.reshape(rows, -1)
        # The IoU of a class that neither side has is not-a-number, which nanmean leaves out.
        return stack([_iou(p, t), _iou(1 - p, 1 - t)]).nanmean(0)


def _classify(values: Tensor, how: Literal["rounded", "truncated"]) -> Tensor:
    return (values > 0.5 if how == "rounded" else values >= 1).to(values.dtype)


def _iou(p: Tensor, t: Tensor) -> Tensor:
    """Return the IoU of each row of ``[rows, pixels]``, not-a-number where both are empty."""
    both = (p * t).sum(1)
    return both / (p.sum(1) + t.sum(1) - both)
