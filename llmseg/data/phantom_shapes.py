"""The shapes of which phantoms are made: planes, textures, ellipses, spots, strokes, noise.

Lengths are in halves of the image's short side, unless pixels are named; see :mod:`llmseg.data.phantoms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

YX: TypeAlias = Sequence[float] | Array
"""Two numbers: one along the rows (downwards), one along the columns (to the right)."""


@dataclass(frozen=True)
class Plane:
    """The coordinates of all pixels, each ``[H, W]``, from the middle of the image.

    Attributes:
        shape: Height and width in pixels.
        half: Half the short side in pixels, the unit of ``y`` and ``x``.
        y: Downwards.
        x: To the right.
    """

    shape: tuple[int, int]
    half: float
    y: Array
    x: Array


def draw_plane(rng: Generator) -> Plane:
    """Draw a size: one side of 180 to 360 pixels, the other 20 to 60 longer. Seven in ten are wider than high."""
    short = int(rng.integers(180, 361))
    long = short + int(rng.integers(20, 61))
    shape = (short, long) if rng.random() < 0.7 else (long, short)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    half = short / 2
    return Plane(shape, half, (y - (shape[0] - 1) / 2) / half, (x - (shape[1] - 1) / 2) / half)


def draw_texture(rng: Generator, plane: Plane, sigma: float) -> Array:
    """Draw smooth noise ``[H, W]`` of unit variance, whose bumps are about ``sigma`` pixels wide."""

    def spread(length: int) -> Array:
        # Bumps stand ``sigma`` pixels apart, from two before the edge to two behind it: the noise has no border.
        bumps = np.exp(-((np.arange(length)[:, None] / sigma - np.arange(-2, length / sigma + 3)) ** 2))
        return np.asarray(bumps / np.sqrt((bumps**2).sum(axis=1, keepdims=True)))

    rows, columns = spread(plane.shape[0]), spread(plane.shape[1])
    # Random heights on a coarse lattice, spread by Gaussians: for wide bumps far cheaper than filtering white noise.
    return np.asarray(rows @ rng.standard_normal((rows.shape[1], columns.shape[1])) @ columns.T)


def turn_axes(plane: Plane, centre: YX, angle: float) -> tuple[Array, Array]:
    """Return coordinates from another centre, turned by an angle."""
    y, x = plane.y - centre[0], plane.x - centre[1]
    return y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)


def measure_ellipse(plane: Plane, centre: YX, radii: YX, angle: float = 0.0) -> Array:
    """Return the distance from a centre, in such units that it is 1 on the ellipse."""
    u, v = turn_axes(plane, centre, angle)
    return np.hypot(u / radii[0], v / radii[1])


def draw_blob(rng: Generator, plane: Plane, centre: YX, radii: YX, wobble: float) -> Array:
    """Draw an ellipse at a random angle whose outline goes in and out by about ``wobble`` of its radius."""
    distance = measure_ellipse(plane, centre, radii, rng.uniform(0, np.pi))
    theta = np.arctan2(plane.y - centre[0], plane.x - centre[1])
    # 2 to 6 waves around the outline, the finer the lower. One wave would only shift the blob.
    waves = [np.cos(k * theta + rng.uniform(0, 2 * np.pi)) / np.sqrt(k) for k in range(2, 7)]
    return np.asarray(distance / (1 + wobble * np.sum(waves, axis=0)))


def fill_inside(distance: Array, edge: float) -> Array:
    """Return 1 where ``distance`` is under 1 and 0 where it is above, with a soft edge of about that width."""
    return np.asarray(0.5 - 0.5 * np.tanh((distance - 1) / edge))


def fade_from(distance: Array, width: float) -> Array:
    """Return 1 at distance 0, falling as a Gaussian does: a soft line where the distance is zero along a curve."""
    return np.asarray(np.exp(-((distance / width) ** 2)))


def draw_spots(rng: Generator, plane: Plane, count: int, reach: float, size: YX) -> Array:
    """Draw small soft ellipses of value 1 within ``reach`` of the middle, with radii of ``size[0]`` to ``size[1]``."""
    spots = np.zeros(plane.shape)
    for _ in range(count):
        centre, radii = rng.uniform(-reach, reach, 2), rng.uniform(size[0], size[1], 2)
        distance = measure_ellipse(plane, centre, radii, rng.uniform(0, np.pi))
        spots = np.maximum(spots, fill_inside(distance, 0.3))
    return spots


def tint(grey: Array, red: float, green: float, blue: float) -> Array:
    """Return ``[H, W, 3]`` from ``[H, W]``, each channel weighted."""
    return np.asarray(grey[..., None] * np.array([red, green, blue]))


def add_rician_noise(rng: Generator, image: Array, level: float) -> Array:
    """Add the noise of MR magnitude images: no value below zero, and a background that is not quite black."""
    real, imaginary = rng.normal(0, level, (2, *image.shape))
    return np.asarray(np.hypot(image + real, imaginary))


def draw_walk(rng: Generator, start: YX, heading: float, length: int, bend: float, turn: float) -> Array:
    """Draw a winding path.

    Args:
        rng: The generator.
        start: Where it begins, in pixels.
        heading: Its first direction.
        length: Its length in pixels.
        bend: How much it winds: standard deviation of the change of direction from pixel to pixel, before smoothing.
        turn: Change of direction from start to end, apart from the winding.

    Returns:
        Points ``[length, 3]`` of ``(y, x, heading)``, one pixel apart.
    """
    # The mean over 40 pixels makes wide bends of what would be a tremble.
    bends = np.convolve(rng.normal(0, bend, length + 40), np.full(40, 1 / 40), "valid")[:length]
    headings = heading + np.cumsum(bends + turn / length)
    y, x = start[0] + np.cumsum(np.sin(headings)), start[1] + np.cumsum(np.cos(headings))
    return np.stack([y, x, headings], axis=1)


def make_stroke(path: Array, radius: float, tip: float, value: float) -> Array:
    """Return dots ``[length, 4]`` of ``(y, x, radius, value)`` along a path, from ``radius`` to ``tip`` pixels."""
    return np.column_stack([path[:, :2], np.linspace(radius, tip, len(path)), np.full(len(path), value)])


def draw_strokes(plane: Plane, strokes: Sequence[Array]) -> Array:
    """Draw strokes of at most 4 pixels radius. Where they overlap, the highest value stays."""
    canvas = np.zeros(plane.shape)
    y, x, radius, value = np.concatenate(strokes).T
    # Each of the 9 x 9 pixels around all dots at once: 81 steps, however many dots there are.
    for dy, dx in np.ndindex(9, 9):
        rows, columns = np.rint(y).astype(int) + dy - 4, np.rint(x).astype(int) + dx - 4
        hit = (np.hypot(rows - y, columns - x) <= radius) & (rows >= 0) & (columns >= 0)
        hit &= (rows < plane.shape[0]) & (columns < plane.shape[1])
        np.maximum.at(canvas, (rows[hit], columns[hit]), value[hit])
    return canvas
