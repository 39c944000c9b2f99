"""Images that occur twice in a dataset: the same pixels, or nearly the same picture.

Equal pixels are found by digest. Nearly equal pictures are found by *fingerprint*, the perceptual hash of the
`imagehash` package: the grey image is reduced to 64 x 64 pixels, and 256 bits tell of its 16 x 16 lowest frequencies
whether each is above their median. Two pictures count as near duplicates if at most :data:`MAX_DIFFERING_BITS` bits
differ.

The limit comes from measurements on 40 phantoms of each modality and 73 real images (fundus, brain MRI, nuclei):

* Copies differ in at most 28 bits, and all 313 of each kind are found. Kinds: brighter by 20, or by a factor of 0.8 to
  1.2; JPEG of quality 40 or 75; shifted by one pixel; reduced to three quarters, to half, or to 256 x 256; without
  colour; and reduced, brighter and in JPEG of quality 50 at once.
* Copies that are shifted by two pixels in both directions differ in up to 56 bits, and 91 % are found.
* Different pictures, 5,331 pairs within a set: two neighbouring slices of BRISC differ in 34 bits. All others differ in
  46 or more, so there is no false alarm. The closest of these are fundus photographs, which look alike.

So 40 lies between 28 and 46.

Mirrored, turned and cropped copies are not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

MAX_DIFFERING_BITS = 40
"""Bits, of 256, that may differ between the fingerprints of near duplicates. Why 40: see above."""

BITS = 256
"""Length of a fingerprint."""

_SIDE = 16  # frequencies in each direction: 16 x 16 are the 256 bits
_THUMBNAIL = (32, 32)
_BLANK = 1.0  # standard deviation of grey values, of 255, below which a picture shows nothing
_ROWS, _COLUMNS = 512, 2048  # fingerprints that are compared at once; a block takes about 6 MiB


def compute_fingerprint(image: np.ndarray) -> bytes | None:
    """Return the perceptual hash of an image, 32 bytes.

    A blank image has none. It is blank if its grey values, at 32 x 32 pixels, have a standard deviation below 1. The
    hash of such an image would be noise; and all images of one value would have the same, so black frames would be
    near duplicates of each other by the thousand.

    Args:
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.

    Returns:
        The hash, or ``None`` for a blank image.

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
    """Return where equal values stand, for every value that occurs more than once, in order of first occurrence.

    Example:
        >>> group_equal(["x", "y", "x", "z", "y"])
        [[0, 2], [1, 4]]
    """
    indices: dict[str, list[int]] = {}
    for index, value in enumerate(values):
        indices.setdefault(value, []).append(index)
    return [equal for equal in indices.values() if len(equal) > 1]


@dataclass(frozen=True)
class NearDuplicates:
    """Near duplicates of one class of pairs.

    Attributes:
        pairs: Number of pairs.
        places: Indices of the images that are in a pair, in ascending order.
        closest: Indices of two images, the lower first, and the number of bits in which they differ; ``None`` if there
            are no pairs.
    """

    pairs: int = 0
    places: tuple[int, ...] = ()
    closest: tuple[int, int, int] | None = None


def find_near_duplicates(
    fingerprints: Sequence[bytes], classes: Callable[[np.ndarray, np.ndarray], np.ndarray], count: int
) -> list[NearDuplicates]:
    """Find all pairs of near duplicates, and sort them into classes.

    All pairs are compared: 60,000 images take some 20 seconds on one core. Pairs are counted and not kept, so the
    memory does not grow with their number. A video alone has thousands.

    Args:
        fingerprints: 32 bytes for each image; blank images are left out.
        classes: Tells the class of each pair, 0 and up, from the indices ``[P]`` of the first and of the second image.
            Class -1 leaves a pair out.
        count: Number of classes.

    Returns:
        The near duplicates of each class, in the order of the classes.

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
            candidate = (int(first[best]), int(second[best]), int(distance[best]))
            closest[kind] = min(closest[kind] or candidate, candidate, key=lambda pair: pair[2])
    return [NearDuplicates(pairs[k], tuple(np.flatnonzero(members[k]).tolist()), closest[k]) for k in range(count)]


def _compare_blocks(fingerprints: Sequence[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the indices ``[P]`` of close pairs, the lower first, and their distances ``[P]``, block by block."""
    packed = np.frombuffer(b"".join(fingerprints), np.uint8).reshape(-1, BITS // 8)
    for top in range(0, len(packed), _ROWS):
        rows = _unpack_signs(packed[top : top + _ROWS])
        for left in range(top, len(packed), _COLUMNS):
            # Bits as signs: a product is the number of equal bits less that of different ones, exact in float32. A
            # matrix product of floats is far faster than counting bits.
            product = rows @ _unpack_signs(packed[left : left + _COLUMNS]).T
            first, second = np.nonzero(product >= BITS - 2 * MAX_DIFFERING_BITS)
            distance = ((BITS - product[first, second]) / 2).astype(np.int64)
            first, second = first + top, second + left
            # A block on the diagonal holds each pair twice, and each image with itself.
            ordered = first < second
            yield first[ordered], second[ordered], distance[ordered]


def _unpack_signs(packed: np.ndarray) -> np.ndarray:
    """Return bits as float32 of -1 and 1, ``[N, 256]``."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
