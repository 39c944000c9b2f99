"""Where a predicted mask agrees with the true one, drawn onto the image."""

from __future__ import annotations

import numpy as np

from llmseg.errors import UserError
from llmseg.figures.style import AGREEMENT, rgb

FILL, LINE = 0.3, 1.0
"""Opacity of the colour inside a region, where the anatomy has to show through, and along its edge."""


def draw_overlay(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Colour the pixels of an image by how two masks agree on them.

    Agreed foreground, missed and false pixels have the colours of :data:`llmseg.figures.style.AGREEMENT`. A region is
    filled thinly and has an opaque edge. The edge is one pixel wide; on large images, 1/256 of the longer side.

    Args:
        image: The image, uint8 ``[H, W]`` or ``[H, W, 3]``.
        truth: The true mask, bool ``[H, W]``.
        predicted: The predicted mask, bool ``[H, W]``.

    Returns:
        The coloured image, uint8 ``[H, W, 3]``; where both masks are background, it is the image itself.

    Raises:
        UserError: An array has another dtype or another shape.

    Example:
        >>> truth, predicted = np.zeros((2, 8, 8), bool)
        >>> truth[2:6, 2:6] = True
        >>> drawn = draw_overlay(np.full((8, 8), 100, np.uint8), truth, predicted)
        >>> drawn.shape, drawn[0, 0].tolist(), drawn[2, 2].tolist() == list(rgb(AGREEMENT["missed"]))
        ((8, 8, 3), [100, 100, 100], True)
    """
    from scipy import ndimage

    _check(image, truth, predicted)
    drawn = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image.copy()
    width = max(1, round(max(truth.shape) / 256))
    regions = {"agreed": truth & predicted, "missed": truth & ~predicted, "false": ~truth & predicted}
    for name, region in regions.items():
        # Beyond the image everything counts as inside: a region that the image cuts off stays open there.
        inside = ndimage.binary_erosion(region, np.ones((3, 3)), iterations=width, border_value=1)
        cover = np.where(region & ~inside, LINE, FILL)[region][:, None]
        drawn[region] = np.round((1 - cover) * drawn[region] + cover * np.array(rgb(AGREEMENT[name]))).astype(np.uint8)
    return drawn


def draw_small_overlay(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray, longest: float) -> np.ndarray:
    """Return an overlay of the image at the size at which it is shown, so that edges stay visible.

    Drawn at full size and then made smaller, an edge of one pixel would fade away.

    Args:
        image: As for :func:`draw_overlay`.
        truth: As for :func:`draw_overlay`.
        predicted: As for :func:`draw_overlay`.
        longest: Pixels that the longer side may have.

    Returns:
        The coloured image, uint8 ``[h, w, 3]``. Its sides have the ratio of the image's; smaller images keep their
        size.

    Example:
        >>> masks = np.zeros((2, 100, 200), bool)
        >>> draw_small_overlay(np.zeros((100, 200), np.uint8), *masks, longest=50).shape
        (25, 50, 3)
    """
    from PIL import Image

    height, width = truth.shape
    factor = min(1.0, longest / max(height, width))
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.BOX))
    # Nearest: a mask has no values between its two.
    masks = (
        np.asarray(Image.fromarray(mask).resize(shape, Image.Resampling.NEAREST), bool) for mask in (truth, predicted)
    )
    return draw_overlay(small, *masks)


def _check(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise UserError(f"image is {image.dtype} {list(image.shape)}; give uint8 [H, W] or [H, W, 3]")
    for name, mask in (("truth", truth), ("predicted", predicted)):
        if mask.dtype != np.bool_ or mask.shape != image.shape[:2]:
            wanted = f"give bool {list(image.shape[:2])}, the image's height and width"
            raise UserError(f"{name} is {mask.dtype} {list(mask.shape)}; {wanted}")
