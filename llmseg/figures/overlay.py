"""Where a predicted mask agrees with the true one, drawn onto the image."""

from __future__ import annotations

from collections.abc import Iterator

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
    _check(image, truth, predicted)
    drawn = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image.copy()
    for name, region, opacity in _cover_regions(truth, predicted):
        cover = opacity[region][:, None]
        drawn[region] = np.round((1 - cover) * drawn[region] + cover * np.array(rgb(AGREEMENT[name]))).astype(np.uint8)
    return drawn


def draw_agreement(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Draw how two masks agree on a transparent ground, so that it can be laid over the image and taken away.

    Args:
        truth: As for :func:`draw_overlay`.
        predicted: As for :func:`draw_overlay`.

    Returns:
        Colours and opacity, uint8 ``[H, W, 4]``.

    Example:
        >>> truth, predicted = np.zeros((2, 8, 8), bool)
        >>> truth[2:6, 2:6] = True
        >>> draw_agreement(truth, predicted)[..., 3].tolist()[2]
        [0, 0, 255, 255, 255, 255, 0, 0]
    """
    drawn = np.zeros((*truth.shape, 4), np.uint8)
    for name, region, opacity in _cover_regions(truth, predicted):
        drawn[region, :3] = rgb(AGREEMENT[name])
        drawn[region, 3] = np.round(255 * opacity[region])
    return drawn


def _cover_regions(truth: np.ndarray, predicted: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield how masks agree, where they do so, and how opaque its colour is on each pixel."""
    from scipy import ndimage

    width = max(1, round(max(truth.shape) / 256))
    regions = {"agreed": truth & predicted, "missed": truth & ~predicted, "false": ~truth & predicted}
    for name, region in regions.items():
        # Beyond the image everything counts as inside: a region that the image cuts off stays open there.
        inside = ndimage.binary_erosion(region, np.ones((3, 3)), iterations=width, border_value=1)
        yield name, region, np.where(region & ~inside, LINE, FILL)


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
    return draw_overlay(*shrink(image, truth, predicted, longest))


def shrink(
    image: np.ndarray, truth: np.ndarray, predicted: np.ndarray, longest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an image and two masks made smaller, so that the longer side has so many pixels at most."""
    from PIL import Image

    height, width = truth.shape
    factor = min(1.0, longest / max(height, width))
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.BOX))
    # Nearest: a mask has no values between its two.
    small_truth, small_predicted = (
        np.asarray(Image.fromarray(mask).resize(shape, Image.Resampling.NEAREST), bool) for mask in (truth, predicted)
    )
    return small, small_truth, small_predicted


def _check(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise UserError(f"image is {image.dtype} {list(image.shape)}; give uint8 [H, W] or [H, W, 3]")
    for name, mask in (("truth", truth), ("predicted", predicted)):
        if mask.dtype != np.bool_ or mask.shape != image.shape[:2]:
            wanted = f"give bool {list(image.shape[:2])}, the image's height and width"
            raise UserError(f"{name} is {mask.dtype} {list(mask.shape)}; {wanted}")
