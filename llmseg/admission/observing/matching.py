"""Telling which phantom a tensor shows, which way up, and how its intensities were changed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing.phantoms import TURNS, Phantoms, overlap, turn

_SIZE = 32
_LEAST_CORRELATION, _LEAST_MARGIN = 0.85, 0.1
_LEAST_OVERLAP = 0.6
_PATCH = 24
_SHARES = (0.9, 0.75, 2 / 3, 0.5, 0.4, 1 / 3, 0.25)
_PATCH_CORRELATION, _PATCH_MARGIN = 0.97, 0.02

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Match:
    """Which case a picture shows.

    Attributes:
        id: The case, empty if it shows none.
        turn: Which way up, one of :data:`~llmseg.admission.observing.phantoms.TURNS`.
        window: The part of the case that is seen: top, left, height, width, from 0 to 1; ``None`` for all of it.
        slopes: By how much the intensities of each channel, from 0 to 1 in the file, were multiplied.
        offsets: What was then added.
        sources: Which channel of the file each channel shows: 0 to 2, or 3 for grey.
    """

    id: str = ""
    turn: str = ""
    window: tuple[float, float, float, float] | None = None
    slopes: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    sources: tuple[int, ...] = ()


class Dye:
    """Knows the phantoms of a run by sight."""

    def __init__(self, phantoms: Phantoms) -> None:
        self.phantoms = phantoms
        self._seen: dict[bytes, Match] = {}

    @functools.cached_property
    def _channels(self) -> dict[str, Array]:
        """The channels of each image, small: ``[4, 32, 32]`` for red, green, blue, grey; from 0 to 1."""
        return {id: _shrink(_to_channels(self.phantoms.image(id))) for id in self.phantoms.ids}

    @functools.cached_property
    def _views(self) -> tuple[list[tuple[str, str]], Array]:
        names = [(id, way) for id in self.phantoms.ids for way in TURNS]
        views = [centre(view) for id in self.phantoms.ids for view in turn(self._channels[id][3])]
        return names, np.stack([view.ravel() for view in views])

    @functools.cached_property
    def _shapes(self) -> tuple[list[tuple[str, str]], list[NDArray[np.bool_]]]:
        names = [(id, way) for id in self.phantoms.ids for way in TURNS]
        shrunk = (_shrink((self.phantoms.mask(id) / 255.0)[None])[0] > 0.5 for id in self.phantoms.ids)
        return names, [view for shape in shrunk for view in turn(shape)]

    def match_image(self, image: NDArray[np.float32]) -> Match:
        """Return which case an image shows.

        Args:
            image: ``[C, H, W]``, floating point, however scaled.
        """
        key = image.tobytes()
        if key not in self._seen:
            self._seen[key] = self._match_image(np.nan_to_num(image.astype(np.float64)))
        return self._seen[key]

    def _match_image(self, image: Array) -> Match:
        inner = _strip(image)
        names, views = self._views
        seen = centre(_shrink(inner).mean(axis=0))
        likeness = views @ seen.ravel()
        best = int(np.argmax(likeness))
        id, way = names[best]
        if likeness[best] < _LEAST_CORRELATION or likeness[best] - _next(likeness, names, id) < _LEAST_MARGIN:
            return self._match_part(inner)
        shrunk = _shrink(inner)
        fits = [self._fit(channel, id, way) for channel in shrunk]
        return Match(id, way, None, *(tuple(values) for values in zip(*fits, strict=True)))

    def _fit(self, channel: Array, id: str, way: str) -> tuple[float, float, int]:
        originals = [turn(each)[TURNS.index(way)] for each in self._channels[id]]
        kinds = range(4) if self.phantoms.channels == 3 else [3]
        source = max(kinds, key=lambda kind: float(np.sum(centre(originals[kind]) * centre(channel))))
        slope, offset = np.polyfit(originals[source].ravel(), channel.ravel(), 1)
        return float(slope), float(offset), source

    def _match_part(self, image: Array) -> Match:
        """Look for an image in all windows of all cases."""
        patch = cv2.resize(image.mean(axis=0), (_PATCH, _PATCH), interpolation=cv2.INTER_AREA).astype(np.float32)
        if float(patch.std()) < 1e-6:
            return Match()
        found = []
        for id in self.phantoms.ids:
            grey = _to_channels(self.phantoms.image(id))[3]
            for share in _SHARES:
                side = round(_PATCH / share)
                whole = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
                for way, view in zip(TURNS, turn(whole), strict=True):
                    fits = cv2.matchTemplate(np.ascontiguousarray(view), patch, cv2.TM_CCOEFF_NORMED)
                    y, x = np.unravel_index(int(np.argmax(fits)), fits.shape)
                    window = float(y / side), float(x / side), _PATCH / side, _PATCH / side
                    found.append((float(fits[y, x]), id, way, window))
        found.sort(reverse=True)
        fit, id, way, window = found[0]
        other = next(each[0] for each in found if each[1] != id)
        return Match(id, way, window) if fit > _PATCH_CORRELATION and fit - other > _PATCH_MARGIN else Match()

    def match_mask(self, mask: NDArray[np.float32]) -> tuple[str, str]:
        """Return (id, way up) of the case whose mask this is, empty texts if it is none.

        Args:
            mask: ``[H, W]``, foreground above the middle between its lowest and highest value.
        """
        low, high = float(mask.min()), float(mask.max())
        if low == high:
            return "", ""
        small = _shrink(((mask - low) / (high - low) > 0.5).astype(np.float64)[None])[0] > 0.5
        names, shapes = self._shapes
        likeness = np.array([overlap(small, shape) for shape in shapes])
        best = int(np.argmax(likeness))
        id, way = names[best]
        if likeness[best] < _LEAST_OVERLAP or likeness[best] - _next(likeness, names, id) < _LEAST_MARGIN:
            return "", ""
        return id, way


def _next(likeness: NDArray[np.float64], names: list[tuple[str, str]], id: str) -> float:
    """Return the likeness of the best other case."""
    return float(max(value for value, (other, _) in zip(likeness, names, strict=True) if other != id))


def _to_channels(image: NDArray[np.uint8]) -> Array:
    """Return red, green, blue and grey from 0 to 1, ``[4, H, W]``; grey as Pillow and OpenCV make it."""
    colours = np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image
    grey = colours @ np.array([0.299, 0.587, 0.114])
    return np.asarray(np.concatenate([colours, grey[..., None]], axis=-1).transpose(2, 0, 1) / 255.0)


def _shrink(channels: Array) -> Array:
    """Return channels ``[C, H, W]`` as ``[C, 32, 32]``, each pixel the mean of an area."""
    return np.stack([cv2.resize(each, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA) for each in channels])


def centre(picture: Array) -> Array:
    """Return a picture with mean 0 and norm 1: the sum of products of two of them is their correlation."""
    shifted = picture - picture.mean()
    return np.asarray(shifted / max(float(np.linalg.norm(shifted)), 1e-12))


def _strip(image: Array) -> Array:
    """Return an image without the even border that fills it up to a square; all of it if there is none."""
    even = image[:, :1, :1]
    rows = np.flatnonzero((image != even).any(axis=(0, 2)))
    columns = np.flatnonzero((image != even).any(axis=(0, 1)))
    if not len(rows) or min(len(rows), len(columns)) < 8:
        return image
    return image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
