"""Images that occur twice in a dataset: the same pixels, or nearly the same picture.

Equal pixels are found by digest. Nearly equal pictures are found by fingerprint: the perceptual hash of the
`imagehash` package with 256 bits, which tell of the 16 x 16 lowest frequencies of the grey image at 64 x 64 pixels
whether they are above their median. Two pictures count as near duplicates where at most :data:`MAX_DIFFERING_BITS`
bits differ.

The limit was chosen from measurements on 40 phantoms of each modality and 73 real images (fundus, brain MRI, nuclei):

* Copies that are brighter by 20, or by a factor of 0.8 to 1.2, in JPEG of quality 40 or 75, shifted by one pixel,
  reduced to three quarters, half, or 256 x 256, without colour, or reduced, brighter and in JPEG of quality 50: at most
  28 bits differ, and all 313 of each are found.
* Copies shifted by two pixels in both directions: up to 56 bits differ, 91 % are found.
* Different pictures, 5,331 pairs within a set: two slices of BRISC that are neighbours differ in 34 bits; all others
  differ in 46 and more, so there is no false alarm. The closest of these are fundus photographs, which look alike.

Mirrored, turned and cropped copies are not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

MAX_DIFFERING_BITS = 40
"""Bits of 256 that may differ between the fingerprints of near duplicates."""

BITS = 256

_SIDE = 16
_THUMBNAIL = (32, 32)
_BLANK = 1.0
_ROWS, _COLUMNS = 512, 2048


def compute_fingerprint(image: np.ndarray) -> bytes | None:
    """Return the perceptual hash of an image, 32 bytes.

    An image is blank, and has none, where its grey values at 32 x 32 pixels have a standard deviation below 1. The hash
    of such an image would be noise, and that of an image of one value the same for all: black frames would be near
    duplicates of each other by the thousand.

    Args:
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.

    Example:
        >>> compute_fingerprint(np.zeros((20, 30), np.uint8)) is None
        True
        >>> len(compute_fingerprint(np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8)))
        32
    """
    grey = Image.fromarray(image).convert("L")
    if np.asarray(grey.resize(_THUMBNAIL, Image.Resampling.BOX)).std() < _BLANK:
        return None
    return np.packbits(imagehash.phash(grey, hash_size=_SIDE).hash).tobytes()


def group_equal(values: Sequence[str]) -> list[list[int]]:
    """Return the places of equal values, for every value that occurs more than once, in order of first occurrence.

    Example:
        >>> group_equal(["x", "y", "x", "z", "y"])
        [[0, 2], [1, 4]]
    """
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    return [found for found in places.values() if len(found) > 1]


@dataclass(frozen=True)
class NearDuplicates:
    """Near duplicates of one class.

    Attributes:
        pairs: Number of pairs.
        places: Which of the images are in one, in ascending order.
        closest: Two places, the lower first, and the number of bits by which they differ; ``None`` without pairs.
    """

    pairs: int = 0
    places: tuple[int, ...] = ()
    closest: tuple[int, int, int] | None = None


def find_near_duplicates(
    fingerprints: Sequence[bytes], classes: Callable[[np.ndarray, np.ndarray], np.ndarray], count: int
) -> list[NearDuplicates]:
    """Find all pairs of near duplicates, and sort them into classes.

    All pairs are compared, 60,000 images in some 20 seconds of one core. Pairs are counted and not kept, so that the
    memory does not grow with their number: a video has thousands.

    Args:
        fingerprints: Of the images that have one, 32 bytes each.
        classes: Gives the class of pairs from the places ``[P]`` of the first and of the second image, 0 and up;
            -1 leaves a pair out.
        count: Number of classes.

    Returns:
        The near duplicates of each class.

    Example:
        >>> prints = [bytes(32), bytes([7, *bytes(31)]), bytes([255] * 32)]
        >>> find_near_duplicates(prints, lambda first, second: np.zeros(len(first), int), 1)
        [NearDuplicates(pairs=1, places=(0, 1), closest=(0, 1, 3))]
    """
    pairs = [0] * count
    members = np.zeros((count, len(fingerprints)), bool)
    closest: list[tuple[int, int, int] | None] = [None] * count
    for first, second, distance in _compare_blocks(fingerprints):
        kinds = classes(first, second)
        for kind in range(count):
            chosen = np.flatnonzero(kinds == kind)
            if not len(chosen):
                continue
            pairs[kind] += len(chosen)
            members[kind, first[chosen]] = members[kind, second[chosen]] = True
            best = chosen[distance[chosen].argmin()]
            found = (int(first[best]), int(second[best]), int(distance[best]))
            closest[kind] = min(closest[kind] or found, found, key=lambda pair: pair[2])
    return [NearDuplicates(pairs[k], tuple(np.flatnonzero(members[k]).tolist()), closest[k]) for k in range(count)]


def _compare_blocks(fingerprints: Sequence[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield places ``[P]`` of pairs, the lower first, and their distances ``[P]``, block by block."""
    packed = np.frombuffer(b"".join(fingerprints), np.uint8).reshape(-1, BITS // 8)
    for top in range(0, len(packed), _ROWS):
        rows = _unpack_signs(packed[top : top + _ROWS])
        for left in range(top, len(packed), _COLUMNS):
            # A product of signs is the number of equal bits less that of different ones, exact in float32.
            product = rows @ _unpack_signs(packed[left : left + _COLUMNS]).T
            first, second = np.nonzero(product >= BITS - 2 * MAX_DIFFERING_BITS)
            distance = ((BITS - product[first, second]) / 2).astype(np.int64)
            first, second = first + top, second + left
            once = first < second
            yield first[once], second[once], distance[once]


def _unpack_signs(packed: np.ndarray) -> np.ndarray:
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
