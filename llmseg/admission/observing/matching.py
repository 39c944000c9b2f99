"""Telling which phantom a tensor shows, which way up, and how its intensities were changed."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing.phantoms import TURNS, Phantoms, overlap, turn
from llmseg.admission.observing.warping import ANGLES, Warp, apply_warp, fit_warp, is_slight, rotate

_SIZE = 32
_LEAST_CORRELATION, _LEAST_MARGIN = 0.85, 0.1
_SURE_CORRELATION = 0.98
_LEAST_OVERLAP, _MOVED_OVERLAP = 0.6, 0.75
_LEAST_FOREGROUND = 0.02
"""Of the picture; less of a shape does not tell whose it is."""

_PATCH = 24
_SHARES = (0.9, 0.75, 2 / 3, 0.5, 0.4, 1 / 3, 0.25)
_PATCH_CORRELATION, _PATCH_MARGIN = 0.97, 0.02
_TRIED, _TRIED_CORRELATION = 3, 0.5
_WARP_CORRELATION, _WARP_MARGIN = 0.97, 0.04

_DISC = np.hypot(*np.ogrid[-15.5:16, -15.5:16]) < _SIZE / 2 - 1
"""The pixels that a rotation about the middle leaves in the picture."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Match:
    """Which case a picture shows.

    Attributes:
        id: The case, empty if it shows none.
        turn: Which way up, one of :data:`~llmseg.admission.observing.phantoms.TURNS`.
        window: The part of the case that is seen: top, left, height, width, from 0 to 1; ``None`` for all of it.
        warp: How it is rotated, scaled and moved, see :data:`~llmseg.admission.observing.warping.Warp`; ``None`` if it
            is not.
        slopes: By how much the intensities of each channel, from 0 to 1 in the file, were multiplied.
        offsets: What was then added.
        sources: Which channel of the file each channel shows: 0 to 2, or 3 for grey.
    """

    id: str = ""
    turn: str = ""
    window: tuple[float, float, float, float] | None = None
    warp: Warp | None = None
    slopes: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    sources: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the whole case is seen, neither cut nor warped."""
        return bool(self.id) and self.window is None and self.warp is None

    @property
    def is_plain(self) -> bool:
        """Whether the whole case is seen the right way up."""
        return self.is_whole and not self.turn

    @property
    def lies(self) -> tuple[Any, ...]:
        """How the case lies in the picture."""
        return self.turn, self.window, self.warp


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
    def _rotated(self) -> tuple[list[tuple[str, str, int]], Array]:
        """Each case in each way up, rotated by each angle, as far as it is seen at all of them."""
        names = [(id, way, angle) for id in self.phantoms.ids for way in TURNS for angle in ANGLES]
        views = (apply_warp(rotate(angle), self._view(id, way)) for id, way, angle in names)
        return names, np.stack([centre(view[_DISC]) for view in views])

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
        shrunk = _shrink(inner)
        if likeness[best] < _LEAST_CORRELATION or likeness[best] - _next(likeness, names, id) < _LEAST_MARGIN:
            part = self._match_part(inner)
            return part if part.id else self._match_warped(shrunk.mean(axis=0))
        if likeness[best] < _SURE_CORRELATION:
            fit, warp = fit_warp(seen, self._view(id, way), rotate(0))
            if fit > max(_WARP_CORRELATION, likeness[best]) and not is_slight(warp):
                return Match(id, way, warp=warp)
        fits = [self._fit(channel, id, way) for channel in shrunk]
        slopes, offsets, sources = zip(*fits, strict=True)
        return Match(id, way, slopes=slopes, offsets=offsets, sources=sources)

    def _view(self, id: str, way: str) -> Array:
        """Return the grey of a case, small, one way up."""
        return np.ascontiguousarray(turn(self._channels[id][3])[TURNS.index(way)])

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

    def _match_warped(self, seen: Array) -> Match:
        """Look for an image in all cases, rotated, scaled and moved."""
        names, views = self._rotated
        likeness = views @ centre(seen[_DISC])
        nearest: dict[str, tuple[str, int]] = {}
        for number in np.argsort(-likeness):
            if likeness[number] < _TRIED_CORRELATION or len(nearest) == _TRIED:
                break
            id, way, angle = names[number]
            nearest.setdefault(id, (way, angle))
        found = [(*fit_warp(seen, self._view(id, way), rotate(angle)), id, way) for id, (way, angle) in nearest.items()]
        fits = [-1.0, -1.0, *sorted(fit for fit, *_ in found)]
        if fits[-1] < _WARP_CORRELATION or fits[-1] - fits[-2] < _WARP_MARGIN:
            return Match()
        _, warp, id, way = max(found)
        return Match(id, way, warp=warp)

    def match_mask_of(self, image: Match, mask: NDArray[np.float32]) -> tuple[str, str, Warp | None]:
        """Return (id, way up, warp) of the case whose mask an image came with, empty if it is none or not known.

        Args:
            image: What the image shows.
            mask: ``[H, W]``, as for :meth:`match_mask`.
        """
        if image.window is not None:
            top, left, height, width = image.window
            return *self._match_warped_mask(image, (width, 0.0, left, 0.0, height, top), mask), None
        id, way = self.match_mask(mask) if image.warp is None else self._match_warped_mask(image, image.warp, mask)
        if id or not image.id:
            return id, way, image.warp
        return self._find_moved(image.id, mask)

    def _match_warped_mask(self, image: Match, warp: Warp, mask: NDArray[np.float32]) -> tuple[str, str]:
        """Return (id, way up) of the case whose mask this is, if it lies as an image does."""
        small, (names, shapes) = _shrink_mask(mask), self._shapes
        if small is None or small.mean() < _LEAST_FOREGROUND:
            return "", ""
        turned = [(name, shape) for name, shape in zip(names, shapes, strict=True) if name[1] == image.turn]
        warped = [apply_warp(warp, shape.astype(np.float64)) > 0.5 for _, shape in turned]
        return _tell_shape(small, [name for name, _ in turned], warped)

    def _find_moved(self, id: str, mask: NDArray[np.float32]) -> tuple[str, str, Warp | None]:
        """Return (id, way up, warp) of the mask of a case, however it is rotated; empty if it is no such mask."""
        small, (names, shapes) = _shrink_mask(mask), self._shapes
        if small is None:
            return "", "", None
        best, way, angle = max(
            (overlap(small, apply_warp(rotate(angle), shape.astype(np.float64)) > 0.5), way, angle)
            for (other, way), shape in zip(names, shapes, strict=True)
            if other == id
            for angle in ANGLES
        )
        return (id, way, rotate(angle) if angle else None) if best >= _MOVED_OVERLAP else ("", "", None)

    def match_mask(self, mask: NDArray[np.float32]) -> tuple[str, str]:
        """Return (id, way up) of the case whose mask this is, empty texts if it is none.

        Args:
            mask: ``[H, W]``, foreground above the middle between its lowest and highest value.
        """
        small = _shrink_mask(mask)
        if small is None:
            return "", ""
        return _tell_shape(small, *self._shapes)


def _tell_shape(
    small: NDArray[np.bool_], names: list[tuple[str, str]], shapes: list[NDArray[np.bool_]]
) -> tuple[str, str]:
    """Return the name of the shape that a mask is, empty texts if it is none or may be that of several cases."""
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


def _shrink_mask(mask: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Return the foreground of a mask, ``[32, 32]``; ``None`` if all of it is alike."""
    low, high = float(mask.min()), float(mask.max())
    if low == high:
        return None
    return np.asarray(_shrink(((mask - low) / (high - low) > 0.5).astype(np.float64)[None])[0] > 0.5)


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
