"""The score that Keras calls ``MeanIoU``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError
from llmseg.overlap import soft_dice
from llmseg.recipe import Score

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class MeanIoU(Score):
    """Intersection over union of foreground and of background, averaged; a class that neither side has is left out.

    Attributes:
        measure: That, or the ``dice`` of the foreground for the same pixels, without smoothing.
        reads: Whether the prediction is the network's ``output`` or its ``sigmoid``.
        prediction: How it becomes a class: ``rounded`` (one half is background), or ``truncated`` to a whole number, so
            that only 1 is foreground.
        mask: How the mask becomes a class.
        over: One value over all pixels of the ``batch``, or one per ``case``.
        lists: What the script writes down: one value per ``batch``, ``case`` or ``epoch``, as in
            :class:`llmseg.scores.Dice`.

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
        values = self.dice(output, mask, over=self.over)
        return values if self.lists == "case" else values.mean().reshape(1)

    def collected(self, batches: Sequence[Tensor]) -> tuple[float, ...]:
        """Return what the script lists for a whole pass, from what it lists for each batch."""
        from torch import cat

        values = tuple(cat(list(batches)).tolist())
        return (sum(values) / len(values),) if self.lists == "epoch" else values

    def cases(self, output: Tensor, mask: Tensor) -> Tensor:
        """Return the score of each case alone, ``[B]``, by the same formula."""
        return self.dice(output, mask, over="case")

    def dice(self, output: Tensor, mask: Tensor, over: Literal["batch", "case"]) -> Tensor:
        """Return the bare formula on output and mask of one size."""
        prediction = _class(output.sigmoid() if self.reads == "sigmoid" else output, self.prediction)
        truth = _class(mask, self.mask)
        if self.measure == "dice":
            return soft_dice(prediction, truth, over=over, smooth=0.0)
        from torch import stack

        rows = 1 if over == "batch" else prediction.shape[0]
        p, t = prediction.reshape(rows, -1), truth.reshape(rows, -1)
        return stack([_iou(p, t), _iou(1 - p, 1 - t)]).nanmean(0)


def _class(values: Tensor, how: Literal["rounded", "truncated"]) -> Tensor:
    return (values > 0.5 if how == "rounded" else values >= 1).to(values.dtype)


def _iou(p: Tensor, t: Tensor) -> Tensor:
    """Intersection over union of rows; not-a-number where both are empty."""
    both = (p * t).sum(1)
    return both / (p.sum(1) + t.sum(1) - both)
