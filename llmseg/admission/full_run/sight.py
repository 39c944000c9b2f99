"""Telling by sight which case a picture shows, and which way up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing.matching import centre
from llmseg.admission.observing.watching.predicting import SIDE

_LEAST = 0.9
"""Correlation of a picture with its case, at least. A picture that was cut correlates less."""

_BETTER = 0.01
"""By how much another way up has to correlate better than the usual one: some images are nearly symmetric."""

Way = tuple[bool, bool, bool]

_EITHER = (False, True)

WAYS: tuple[Way, ...] = tuple(itertools.product(_EITHER, _EITHER, _EITHER))
"""The ways up that a picture may have: whether its axes are exchanged, and whether it is then upside down, mirrored."""


class Sight:
    """Knows some images by sight, however they are scaled.

    Args:
        names: The names of their cases.
        read: Returns the image of a name, uint8 ``[H, W]`` or ``[H, W, 3]``.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> images = {name: draw.integers(0, 256, (40, 50), np.uint8) for name in ("a", "b")}
        >>> sight = Sight(images, images.get)
        >>> sight.find(shrink(images["b"]) * 2 - 1), sight.find(shrink(images["a"])[::-1])
        (('b', (False, False, False)), ('a', (False, True, False)))
    """

    def __init__(self, names: Iterable[str], read: Callable[[str], NDArray[np.uint8]]) -> None:
        self.names = tuple(names)
        self._views = np.stack([_flatten(shrink(read(name))) for name in self.names])

    def find(self, picture: NDArray[np.float32]) -> tuple[str, Way]:
        """Return the case that a picture shows, an empty text for none, and which way up it is.

        Args:
            picture: ``[32, 32]``, of the whole image.
        """
        righted = [_flatten(right(np.nan_to_num(picture), way)) for way in WAYS]
        likeness = self._views @ np.stack(righted, axis=1)
        likeness[:, 0] += _BETTER
        best, way = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
        is_known = likeness[best, way] >= _LEAST + (_BETTER if way == 0 else 0)
        return (self.names[best] if is_known else ""), WAYS[int(way)]


def right(array: NDArray[np.float32], way: Way) -> NDArray[np.float32]:
    """Return an array ``[..., H, W]`` that is some way up the usual way up.

    Example:
        >>> right(np.array([[1.0, 2.0], [3.0, 4.0]]), (True, False, True)).tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """
    exchanged, upside_down, mirrored = way
    flipped = array[..., ::-1, :] if upside_down else array
    flipped = flipped[..., ::-1] if mirrored else flipped
    return flipped.swapaxes(-1, -2) if exchanged else flipped


def shrink(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return an image in grey as ``[32, 32]``, each pixel the mean of an area.

    Example:
        >>> shrink(np.full((64, 64, 3), 7, np.uint8))[0, :2]
        array([7., 7.], dtype=float32)
    """
    grey = image if image.ndim == 2 else image.mean(axis=-1)
    return np.asarray(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _flatten(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return centre(picture.astype(np.float64)).ravel().astype(np.float32)
