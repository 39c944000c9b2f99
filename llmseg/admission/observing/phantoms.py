"""Dyed phantoms: images that carry which case they are, and which way up, into whatever becomes of them.

Every image is a sum of slow waves that no other image has, and that look different when they are flipped. It stays
recognisable after resizing, scaling, flipping and cutting. Each mask is a shape that no other mask has, and the image
is brighter there.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llmseg.errors import UserError

_DYE_VERSION = 1
"""Raise it with any change of the drawing code."""

_FEWEST, _MOST, _SMALLEST = 12, 60, 32
_WAVES = 4
_ALIKE = 0.6
"""No two images, whichever way they are flipped, may correlate more; no two masks may overlap more."""


@dataclass(frozen=True)
class Phantoms:
    """A set of dyed cases, drawn when they are asked for.

    Attributes:
        count: Number of cases, 12 to 60.
        channels: 1 for grey images, 3 for colour.
        height: Height in pixels. The default is no multiple of what networks take, so that every resizing shows.
        width: Width in pixels.
        noisy: Whether every third mask has noise of up to two grey levels, as JPEG files have.
        seed: Another seed draws other cases.

    Raises:
        UserError: A number is out of range.

    Example:
        >>> phantoms = Phantoms(12)
        >>> phantoms.ids[0], phantoms.image("001").shape, int(phantoms.mask("001").max())
        ('001', (100, 84), 255)
    """

    count: int = 20
    channels: int = 1
    height: int = 100
    width: int = 84
    noisy: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not _FEWEST <= self.count <= _MOST:
            raise UserError(f"{self.count} phantoms: give {_FEWEST} to {_MOST}")
        if self.channels not in (1, 3):
            raise UserError(f"phantoms with {self.channels} channels: give 1 or 3")
        if min(self.height, self.width) < _SMALLEST:
            raise UserError(f"phantoms of {self.height} x {self.width} pixels: give at least {_SMALLEST} each")

    @property
    def ids(self) -> tuple[str, ...]:
        """``"001"`` and so on."""
        return tuple(f"{number:03d}" for number in range(1, self.count + 1))

    def image(self, id: str) -> NDArray[np.uint8]:
        """Return an image, uint8 ``[H, W]`` or ``[H, W, 3]``."""
        return self._drawn[id][0]

    def mask(self, id: str) -> NDArray[np.uint8]:
        """Return a mask without noise, uint8 ``[H, W]`` of 0 and 255."""
        return self._drawn[id][1]

    def noisy_mask(self, id: str) -> NDArray[np.uint8]:
        """Return a mask as its file has it: with noise if it is one of those that have some."""
        mask = self.mask(id)
        if not self.noisy or int(id) % 3:
            return mask
        noise = np.random.default_rng([_DYE_VERSION, self.seed, int(id)]).integers(0, 3, mask.shape, np.uint8)
        return np.where(mask > 0, mask - noise, noise)

    @functools.cached_property
    def _drawn(self) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        rng = np.random.default_rng([_DYE_VERSION, self.seed])
        waves, shapes = _choose_waves(rng, self.count), _choose_shapes(rng, self.count)
        drawn = {}
        for id, wave, shape in zip(self.ids, waves, shapes, strict=True):
            inside = _fill_shape(shape, self.height, self.width)
            # Levels and contrasts differ much between cases, so that statistics of some are not those of all.
            grey = rng.uniform(0.25, 0.55) + rng.uniform(0.1, 0.2) * _sum_waves(wave, self.height, self.width)
            grey = grey + 0.2 * inside + 0.01 * rng.standard_normal((self.height, self.width))
            if self.channels == 3:
                tints = [_sum_waves(tint, self.height, self.width) for tint in _draw_waves(rng, 3)]
                grey = grey[..., None] * [0.95, 0.8, 0.65] + 0.05 * np.stack(tints, axis=-1)
            image = np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
            drawn[id] = image, np.where(inside, 255, 0).astype(np.uint8)
        return drawn


def write_phantoms(
    folder: Path,
    phantoms: Phantoms,
    *,
    images: str = "images",
    masks: str = "masks",
    image_name: str = "{id}.png",
    mask_name: str = "{id}_seg.png",
) -> None:
    """Write phantoms as files.

    Images and masks are made in two different orders that are not those of their names. So a script that pairs them by
    their position in unsorted listings gets wrong pairs, on file systems that list files in the order of making.

    Args:
        folder: A folder, which is made.
        phantoms: The cases.
        images: The folder for the images, in ``folder``; it may be that of the masks, too.
        masks: The folder for the masks.
        image_name: Their names, with ``{id}`` and the extension of a format.
        mask_name: The names of the masks.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_phantoms(Path(folder), Phantoms(12))
        ...     sorted(path.name for path in Path(folder, "masks").iterdir())[0]
        '001_seg.png'
    """
    rng = np.random.default_rng([_DYE_VERSION, phantoms.seed, phantoms.count])
    for name, pattern, read in (
        (images, image_name, phantoms.image),
        (masks, mask_name, phantoms.noisy_mask),
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in rng.permutation(phantoms.count):
            id = phantoms.ids[number]
            Image.fromarray(read(id)).save(folder / name / pattern.format(id=id), quality=95)


def _grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the places of pixels, from 0 to 1, downwards ``[H, 1]`` and to the right ``[1, W]``."""
    return ((np.arange(height) + 0.5) / height)[:, None], ((np.arange(width) + 0.5) / width)[None]


def _draw_waves(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    amplitudes = rng.standard_normal((count, _WAVES, _WAVES))
    amplitudes[:, 0, 0] = 0
    return np.asarray(amplitudes / np.linalg.norm(amplitudes, axis=(1, 2), keepdims=True))


def _sum_waves(amplitudes: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    down, right = (np.cos(np.pi * np.arange(_WAVES)[:, None] * axis.ravel()) for axis in _grid(height, width))
    return np.asarray(down.T @ amplitudes @ right)


def _choose_waves(rng: np.random.Generator, count: int) -> list[NDArray[np.float64]]:
    chosen: list[NDArray[np.float64]] = []
    seen: list[NDArray[np.float64]] = []
    while len(chosen) < count:
        (wave,) = _draw_waves(rng, 1)
        small = _sum_waves(wave, _SMALLEST, _SMALLEST)
        views = [(view - view.mean()) / np.linalg.norm(view - view.mean()) for view in turn(small)]
        if all(np.sum(views[0] * other) < _ALIKE for other in [*views[1:], *seen]):
            chosen.append(wave)
            seen += views
    return chosen


def _choose_shapes(rng: np.random.Generator, count: int) -> list[NDArray[np.float64]]:
    chosen: list[NDArray[np.float64]] = []
    seen: list[NDArray[np.bool_]] = []
    while len(chosen) < count:
        # Two ellipses, each with a place, two radii and an angle.
        places, radii = rng.uniform(0.2, 0.8, (2, 2)), rng.uniform([[0.1], [0.05]], [[0.24], [0.12]], (2, 2))
        shape = np.concatenate([places, radii, rng.uniform(0, np.pi, (2, 1))], axis=1)
        views = turn(_fill_shape(shape, _SMALLEST, _SMALLEST))
        if all(overlap(views[0], other) < _ALIKE for other in [*views[1:], *seen]):
            chosen.append(shape)
            seen += views
    return chosen


def _fill_shape(shape: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    down, right = _grid(height, width)
    inside = np.zeros((height, width), bool)
    for y, x, first, second, angle in shape:
        along = (down - y) * np.cos(angle) + (right - x) * np.sin(angle)
        across = (right - x) * np.cos(angle) - (down - y) * np.sin(angle)
        inside |= (along / first) ** 2 + (across / second) ** 2 < 1
    return inside


TURNS = ("", "h", "v", "hv", "r", "rh", "rv", "rhv")
"""The eight ways up: transposed (``r``), mirrored left to right (``h``), upside down (``v``)."""


def turn(picture: NDArray[Any]) -> list[NDArray[Any]]:
    """Return a picture in all ways up, in the order of :data:`TURNS`; of an oblong one in those without transposing."""
    pictures = [picture] if picture.shape[0] != picture.shape[1] else [picture, picture.swapaxes(0, 1)]
    return [view for each in pictures for view in (each, each[:, ::-1], each[::-1], each[::-1, ::-1])]


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the share of two masks that is in both, of what is in either; 1 if both are empty."""
    either = int(np.sum(one | other))
    return float(np.sum(one & other)) / either if either else 1.0
