"""The Dice formula, which losses and scores share, and how output and mask are brought to one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from llmseg.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Sizes = Annotated[
    Literal["equal", "mask-to-output", "output-to-mask"],
    "``equal``: they must be equal already. ``mask-to-output``: the mask is reduced to the size of the output, by the "
    "nearest pixel as in ``torch.nn.functional.interpolate``. ``output-to-mask``: the output is enlarged to the size "
    "of the mask, bilinear, corners not aligned.",
]
"""How output and mask are brought to one size. The annotation says what each word means, for ``llmseg fields``."""


def match_sizes(output: Tensor, mask: Tensor, sizes: Sizes) -> tuple[Tensor, Tensor]:
    """Bring output and mask to one size.

    Args:
        output: ``[B, 1, h, w]``.
        mask: ``[B, 1, H, W]``.
        sizes: Which of the two is resized.

    Returns:
        Output and mask, of which at most one is a new tensor.

    Raises:
        UserError: The sizes differ and ``sizes`` is ``equal``.
    """
    from torch.nn import functional

    if output.shape[-2:] == mask.shape[-2:]:
        return output, mask
    if sizes == "mask-to-output":
        return output, functional.interpolate(mask, size=output.shape[-2:], mode="nearest")
    if sizes == "output-to-mask":
        size = mask.shape[-2:]
        return functional.interpolate(output, size=size, mode="bilinear", align_corners=False), mask
    raise UserError(
        f"the network's output is {tuple(output.shape[-2:])} and the mask {tuple(mask.shape[-2:])}; "
        "set sizes of loss, score and test to mask-to-output or output-to-mask"
    )


def soft_dice(
    prediction: Tensor, mask: Tensor, *, over: Literal["batch", "case"], smooth: float, above: float | None = None
) -> Tensor:
    """Return ``(2 sum(p t) + a) / (sum(p) + sum(t) + s)`` over the batch (``[1]``) or per case (``[B]``).

    Args:
        prediction: ``[B, 1, H, W]``, thresholded or not.
        mask: ``[B, 1, H, W]``.
        over: What one Dice is taken over.
        smooth: The constant s. With 0, an empty mask predicted empty gives not-a-number.
        above: The constant a, ``None`` for s.

    Source: L. R. Dice, Ecology 26 (1945); the smoothing constant is that of the scripts.
    """
    # The order of these operations is that of the scripts; another one would round differently in the last bit.
    rows = 1 if over == "batch" else prediction.shape[0]
    p, t = prediction.reshape(rows, -1), mask.reshape(rows, -1)
    return (2 * (p * t).sum(1) + (smooth if above is None else above)) / (p.sum(1) + t.sum(1) + smooth)
