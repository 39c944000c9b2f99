"""A case as it lies in an HDF5 store: compressed, chunk by chunk.

How pixels lie in the file: all images stand one after another in one row of bytes, ``images``, and all masks in
another, ``masks``. HDF5 cuts a row into *chunks* and compresses each by itself. Every case begins at a chunk of its
own, filled up with zeros at its end. This has three uses. Threads compress cases, which the library does one at a time
and under a lock. A case is read without its neighbours. And a case goes from one file into another as it is, without
unpacking: that is how the parts of an interrupted preparation are joined.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from llmseg.data.image_digests import digest_image, digest_mask
from llmseg.data.store import Case

CHUNK = 2**16
"""Bytes of a chunk before compression: a grey image of 256x256 pixels. Zeros that fill a chunk up pack to nothing."""

COMPRESSION_LEVEL = 1
"""The fastest of zlib. Level 6 makes photographs and MR slices 2 to 9 % smaller and takes three times as long."""


@dataclass(frozen=True)
class PackedCase:
    """A case as a store holds it: compressed.

    Attributes:
        id: Its id.
        group: What it belongs to, such as a video or a patient.
        part: Official part (``training``, ``validation``, ``test``), or empty.
        shape: Height, width and channels of the image.
        content: Digest of the image, see :func:`llmseg.data.image_digests.digest_image`.
        mask_content: Digest of the mask.
        image: The image's bytes, compressed chunk by chunk.
        mask: The mask's bytes, likewise.
    """

    id: str
    group: str
    part: str
    shape: tuple[int, int, int]
    content: str
    mask_content: str
    image: tuple[bytes, ...]
    mask: tuple[bytes, ...]


def pack_case(case: Case, group: str, part: str = "") -> PackedCase:
    """Compress a case for a store. Several threads can do that at once.

    Args:
        case: Image and mask.
        group: What it belongs to, such as a video or a patient.
        part: Official part (``training``, ``validation``, ``test``), or empty.

    Example:
        >>> case = Case("a.png", np.zeros((400, 300), np.uint8), np.zeros((400, 300), np.uint8))
        >>> packed = pack_case(case, group="patient 1")
        >>> packed.shape, len(packed.image)
        ((400, 300, 1), 2)
    """
    height, width, *channels = case.image.shape
    return PackedCase(
        case.id,
        group,
        part,
        (height, width, *(channels or [1])),
        digest_image(case.image),
        digest_mask(case.mask),
        _compress(case.image),
        _compress(case.mask),
    )


def _compress(values: np.ndarray) -> tuple[bytes, ...]:
    """Compress bytes chunk by chunk, the last one filled up with zeros."""
    content = np.ascontiguousarray(values).tobytes()
    content += bytes(-len(content) % CHUNK)
    return tuple(
        zlib.compress(content[start : start + CHUNK], COMPRESSION_LEVEL) for start in range(0, len(content), CHUNK)
    )
