"""The losses of a batch: cross-entropy, Dice loss, or their weighted sum; as PyTorch and as Keras have them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from llmseg.errors import UserError
from llmseg.recipe.dice import Sizes, match_sizes, soft_dice
from llmseg.recipe.part import Part

if TYPE_CHECKING:
    from torch import Tensor

L = TypeVar("L", bound="WeightedLoss")

EPSILON = 1e-7
"""The distance from 0 and 1 that Keras keeps (``keras.config.epsilon()``) before it takes a logarithm."""


class Loss(Part, ABC):
    """Base of every loss of a batch.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> loss: Loss = zoo.TEXTBOOK.loss
        >>> logits, mask = torch.full((1, 1, 4, 4), 9.0), torch.ones(1, 1, 4, 4)
        >>> float(loss(logits, mask)) < 0.01
        True
    """

    @abstractmethod
    def __call__(self, output: Tensor, mask: Tensor, validating: bool = False) -> Tensor:
        """Return the loss of network output ``[B, 1, h, w]`` and mask ``[B, 1, H, W]`` as a scalar."""


class WeightedLoss(Loss, ABC):
    """Base of every loss that is a weighted sum of a cross-entropy and a Dice term.

    Attributes:
        bce: Weight of the cross-entropy, 0 to leave it out.
        dice: Weight of the Dice term, 0 to leave it out.
    """

    bce: float
    dice: float

    WORDS: ClassVar[str] = "bce, dice or a sum such as bce+0.5*dice"

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.bce, self.dice) < 0 or not self.bce + self.dice > 0:
            raise UserError(
                f"loss.bce is {self.bce} and loss.dice {self.dice}; neither may be negative, one must be above 0"
            )

    def read_words(self: L, text: str) -> L | None:
        """Return this loss with the weights that a sum such as ``bce+0.5*dice`` says; a term it lacks weighs 0."""
        pattern = r"\s*(?:(\d+(?:\.\d+)?)\s*\*)?\s*(bce|dice)\s*"
        terms = [re.fullmatch(pattern, term) for term in text.lower().split("+")]
        weights = {term[2]: float(term[1] or 1) for term in terms if term}
        if len(weights) < len(terms):
            return None
        weighted: L = replace(cast(Any, self), **{"bce": 0.0, "dice": 0.0, **weights})
        return weighted


@dataclass(frozen=True, kw_only=True)
class BCEDice(WeightedLoss):
    """``bce * BCE(p, t) + dice * (1 - Dice(p, t))``, p the probabilities and t the mask.

    BCE is the mean over all pixels of the batch. Dice is ``(2 sum(p t) + s) / (sum(p) + sum(t) + s)`` on probabilities
    without a threshold, s the smoothing constant.

    Attributes:
        bce: Weight of the cross-entropy, 0 to leave it out.
        dice: Weight of the Dice loss, 0 to leave it out.
        reads: How the network's output is read: as ``probability``, or as ``logits`` to which the loss applies the
            sigmoid itself. A network that ends in probabilities and a loss that reads logits apply it twice.
        dice_over: One Dice over all pixels of the ``batch``, or the mean of one per ``case``.
        dice_smooth: The smoothing constant s, above and below the fraction line.
        sizes: How output and mask are brought to one size, see :data:`llmseg.recipe.dice.Sizes`.
        validation_threshold: Threshold of the mask in the validation loss: after output and mask have one size, values
            above it become 1 and others 0. ``None`` takes the mask as in training.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> zoo.get("gpt-4").recipe.loss(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
        tensor(0.6931)
    """

    bce: float
    dice: float
    reads: Literal["logits", "probability"]
    dice_over: Literal["batch", "case"]
    dice_smooth: float
    sizes: Sizes
    validation_threshold: float | None

    def __call__(self, output: Tensor, mask: Tensor, validating: bool = False) -> Tensor:
        """Return the loss of a batch.

        Args:
            output: Network output ``[B, 1, h, w]``, float32.
            mask: Masks ``[B, 1, H, W]``, float32 in 0..1.
            validating: Whether this is the validation loss.

        Returns:
            A scalar tensor with gradient.
        """
        output, mask = match_sizes(output, mask, self.sizes)
        if validating and self.validation_threshold is not None:
            mask = (mask > self.validation_threshold).to(output.dtype)
        terms = []
        if self.bce:
            terms.append(self.bce * self._cross_entropy(output, mask))
        if self.dice:
            terms.append(self.dice * self._dice_loss(output, mask))
        # Not sum(terms), which would add the first term to 0: one term alone is returned as it is.
        return sum(terms[1:], start=terms[0])

    def _cross_entropy(self, output: Tensor, mask: Tensor) -> Tensor:
        from torch.nn import functional

        if self.reads == "logits":
            return functional.binary_cross_entropy_with_logits(output, mask)
        return _probability_cross_entropy(output, mask)

    def _dice_loss(self, output: Tensor, mask: Tensor) -> Tensor:
        probability = output.sigmoid() if self.reads == "logits" else output
        return 1 - soft_dice(probability, mask, over=self.dice_over, smooth=self.dice_smooth).mean()


@dataclass(frozen=True, kw_only=True)
class KerasBCEDice(WeightedLoss):
    """The loss of a TensorFlow variant: ``bce * BCE(p, t) + dice * term``, p the probabilities and t the mask.

    The term is made of one Dice over all pixels of the batch, ``(2 sum(p t) + s) / (sum(p) + sum(t) + s)`` on
    probabilities without a threshold, s the smoothing constant.

    Attributes:
        bce: Weight of the cross-entropy, the mean over all pixels of the batch; 0 to leave it out.
        dice: Weight of the Dice term, 0 to leave it out.
        dice_term: What the term is: the ``loss`` 1 - Dice, or the Dice ``coefficient`` itself. With ``coefficient`` the
            training lowers the Dice, which is a mistake of one script.
        dice_smooth: The smoothing constant s.
        validation: The validation loss: the ``same``, or the ``cross-entropy`` alone.
        reads: How the network's output is read: as ``probability``, or as ``logits``. Keras remembers the logits of a
            sigmoid layer. If its loss is given the very output of that layer, it computes with the logits.
        clipped: When the cross-entropy moves probabilities into 1e-7 to 1 - 1e-7, as Keras does where it remembers no
            logits. Pixels that are moved have no gradient.
        sizes: How output and mask are brought to one size, see :data:`llmseg.recipe.dice.Sizes`.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> loss = zoo.get("claude-3.5-sonnet@tensorflow").recipe.loss
        >>> logits, mask = torch.full((1, 1, 2, 2), -40.0), torch.ones(1, 1, 2, 2)
        >>> loss(logits, mask), loss(logits, mask, validating=True)
        (tensor(40.), tensor(16.1181))
    """

    bce: float
    dice: float
    dice_term: Literal["loss", "coefficient"]
    dice_smooth: float
    validation: Literal["same", "cross-entropy"]
    reads: Literal["logits", "probability"]
    clipped: Literal["never", "in-validation", "always"]
    sizes: Sizes

    def __call__(self, output: Tensor, mask: Tensor, validating: bool = False) -> Tensor:
        """Return the loss of a batch.

        Args:
            output: Network output ``[B, 1, h, w]``, float32.
            mask: Masks ``[B, 1, H, W]``, float32 in 0..1.
            validating: Whether this is the validation loss.

        Returns:
            A scalar tensor with gradient.
        """
        output, mask = match_sizes(output, mask, self.sizes)
        clipped = self.clipped == "always" or (validating and self.clipped == "in-validation")
        if validating and self.validation == "cross-entropy":
            return self._cross_entropy(output, mask, clipped)
        terms = []
        if self.bce:
            terms.append(self.bce * self._cross_entropy(output, mask, clipped))
        if self.dice:
            terms.append(self.dice * self._dice_term(output, mask))
        return sum(terms[1:], start=terms[0])

    def _cross_entropy(self, output: Tensor, mask: Tensor, clipped: bool) -> Tensor:
        from torch.nn import functional

        if self.reads == "logits" and not clipped:
            return functional.binary_cross_entropy_with_logits(output, mask)
        probability = self._probability(output)
        if clipped:
            probability = probability.clamp(EPSILON, 1 - EPSILON)
        return _probability_cross_entropy(probability, mask)

    def _dice_term(self, output: Tensor, mask: Tensor) -> Tensor:
        dice = soft_dice(self._probability(output), mask, over="batch", smooth=self.dice_smooth).mean()
        return dice if self.dice_term == "coefficient" else 1 - dice

    def _probability(self, output: Tensor) -> Tensor:
        return output.sigmoid() if self.reads == "logits" else output


def _probability_cross_entropy(probability: Tensor, mask: Tensor) -> Tensor:
    """Return torch's cross-entropy of probabilities; not-a-number if one of them is not between 0 and 1.

    torch stops there: with an error on a CPU, and on a GPU with an assertion after which the process computes nothing
    more. A network whose weights have become not-a-number would end so. With logits the loss is not-a-number, and the
    training says what to do; so it is here.
    """
    import torch
    from torch.nn import functional

    usable = (probability >= 0) & (probability <= 1)
    if probability.device.type != "cpu":
        loss = functional.binary_cross_entropy(probability.where(usable, 0.5), mask)
        return loss.where(usable.all(), torch.nan)
    try:
        return functional.binary_cross_entropy(probability, mask)
    except RuntimeError:
        if bool(usable.all()):
            raise
        # Multiplied, so that the loss still has a gradient.
        return probability.sum() * torch.nan
