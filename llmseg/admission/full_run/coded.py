"""Coded cases: as many as are asked for, and no two are alike, so that each is known by sight."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_HEIGHT, _WIDTH = 100, 84
_BLOCKS = 8
_SEED = 20260


def draw_coded(number: int, channels: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return image and mask of a coded case: blocks of random grey, in which a disc is brighter.

    Args:
        number: Of the case, from 0.
        channels: 1 for a grey image, 3 for colour.

    Example:
        >>> image, mask = draw_coded(3, channels=3)
        >>> image.shape, sorted(np.unique(mask).tolist())
        ((100, 84, 3), [0, 255])
    """
    draw = np.random.default_rng([_SEED, number])
    blocks = draw.integers(20, 160, (_BLOCKS, _BLOCKS)).astype(np.float32)
    image = cv2.resize(blocks, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    cv2.circle(mask, (int(draw.integers(20, 64)), int(draw.integers(20, 80))), int(draw.integers(8, 18)), 255, -1)
    grey = np.rint(image + 60 * (mask > 0)).astype(np.uint8)
    return (np.repeat(grey[..., None], 3, axis=-1) if channels == 3 else grey), mask
