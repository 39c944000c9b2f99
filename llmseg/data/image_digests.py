"""Digests of pixels. Equal images, or equal masks, have equal digests, whatever file or store they come from."""

from __future__ import annotations

import hashlib

import numpy as np


def digest_image(image: np.ndarray) -> str:
    """Return the SHA-256 of an image's shape and pixels, 64 hexadecimal digits.

    Args:
        image: uint8 ``[H, W]`` or ``[H, W, 3]``. A colour image of three equal channels counts as a grey one.

    Example:
        >>> grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
        >>> digest_image(grey) == digest_image(np.stack([grey] * 3, axis=-1))
        True
    """
    # The same picture is often passed on as grey and as RGB; it must not be held out in one form and trained on in
    # the other.
    if image.ndim == 3 and (image == image[..., :1]).all():
        image = image[..., 0]
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def digest_mask(mask: np.ndarray) -> str:
    """Return the SHA-256 of a mask's pixels, 64 hexadecimal digits.

    Args:
        mask: uint8 ``[H, W]``. Its shape does not count: a store keeps it with the image.
    """
    return hashlib.sha256(np.ascontiguousarray(mask).tobytes()).hexdigest()
