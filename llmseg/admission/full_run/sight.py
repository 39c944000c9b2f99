"""Telling by sight which case a picture shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Height and width at which pictures are compared."""

_LEAST = 0.9
"""Correlation of a picture with its case, at least. A picture that was cut or turned correlates less."""


class Sight:
    """Knows some images by sight, however they are scaled.

    Args:
        names: The names of their cases.
        read: Returns the image of a name, uint8 ``[H, W]`` or ``[H, W, 3]``.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> images = {name: draw.integers(0, 256, (40, 50), np.uint8) for name in ("a", "b")}
        >>> Sight(images, images.get).find(shrink(images["b"]) * 2 - 1)
        'b'
    """

    def __init__(self, names: Iterable[str], read: Callable[[str], NDArray[np.uint8]]) -> None:
        self.names = tuple(names)
        self._views = np.stack([_centre(shrink(read(name))) for name in self.names])

    def find(self, picture: NDArray[np.float32]) -> str:
        """Return the case that a picture shows, an empty text for none.

        Args:
            picture: ``[32, 32]``, of the whole image and the right way up.
        """
        likeness = self._views @ _centre(np.nan_to_num(picture))
        best = int(np.argmax(likeness))
        return self.names[best] if likeness[best] >= _LEAST else ""


def shrink(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return an image in grey as ``[32, 32]``, each pixel the mean of an area.

    Example:
        >>> shrink(np.full((64, 64, 3), 7, np.uint8))[0, :2]
        array([7., 7.], dtype=float32)
    """
    grey = image if image.ndim == 2 else image.mean(axis=-1)
    return np.asarray(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _centre(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = picture.astype(np.float64).ravel() - picture.mean()
    return np.asarray(shifted / max(float(np.linalg.norm(shifted)), 1e-12), dtype=np.float32)
