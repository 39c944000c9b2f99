"""How a phantom of each modality is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = Sequence[float] | Array
Drawing: TypeAlias = tuple[Array, NDArray[np.bool_]]
"""Image ``[H, W]`` or ``[H, W, 3]`` in about 0..1, and mask ``[H, W]``."""


@dataclass(frozen=True)
class _Plane:
    """Pixel coordinates ``[H, W]`` from the centre, in halves (of ``half`` pixels) of the short side."""

    shape: tuple[int, int]
    half: float
    y: Array
    x: Array


def _plane(rng: Generator) -> _Plane:
    short = int(rng.integers(180, 361))
    long = short + int(rng.integers(20, 61))
    shape = (short, long) if rng.random() < 0.7 else (long, short)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    half = short / 2
    return _Plane(shape, half, (y - (shape[0] - 1) / 2) / half, (x - (shape[1] - 1) / 2) / half)


def _field(rng: Generator, plane: _Plane, sigma: float) -> Array:
    """Smooth noise of unit variance; the bumps are about ``sigma`` pixels wide."""

    def basis(length: int) -> Array:
        bumps = np.exp(-((np.arange(length)[:, None] / sigma - np.arange(-2, length / sigma + 3)) ** 2))
        return np.asarray(bumps / np.sqrt((bumps**2).sum(axis=1, keepdims=True)))

    rows, columns = basis(plane.shape[0]), basis(plane.shape[1])
    # Gaussian bumps on a coarse lattice: for wide bumps far cheaper than filtering white noise.
    return np.asarray(rows @ rng.standard_normal((rows.shape[1], columns.shape[1])) @ columns.T)


def _turned(plane: _Plane, centre: Pair, angle: float) -> tuple[Array, Array]:
    y, x = plane.y - centre[0], plane.x - centre[1]
    return y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)


def _ellipse(plane: _Plane, centre: Pair, radii: Pair, angle: float = 0.0) -> Array:
    """Distance from the centre, 1 on the ellipse."""
    u, v = _turned(plane, centre, angle)
    return np.hypot(u / radii[0], v / radii[1])


def _blob(rng: Generator, plane: _Plane, centre: Pair, radii: Pair, wobble: float) -> Array:
    """An ellipse at a random angle whose outline goes in and out by ``wobble``."""
    distance = _ellipse(plane, centre, radii, rng.uniform(0, np.pi))
    theta = np.arctan2(plane.y - centre[0], plane.x - centre[1])
    waves = [np.cos(k * theta + rng.uniform(0, 2 * np.pi)) / np.sqrt(k) for k in range(2, 7)]
    return np.asarray(distance / (1 + wobble * np.sum(waves, axis=0)))


def _inside(distance: Array, edge: float) -> Array:
    """1 where ``distance`` is under 1, 0 where it is above, with a soft edge."""
    return np.asarray(0.5 - 0.5 * np.tanh((distance - 1) / edge))


def _bell(distance: Array, width: float) -> Array:
    return np.asarray(np.exp(-((distance / width) ** 2)))


def _spots(rng: Generator, plane: _Plane, count: int, reach: float, size: Pair) -> Array:
    """Small soft ellipses within ``reach`` of the centre, highest value 1."""
    spots = np.zeros(plane.shape)
    for _ in range(count):
        centre, radii = rng.uniform(-reach, reach, 2), rng.uniform(size[0], size[1], 2)
        distance = _ellipse(plane, centre, radii, rng.uniform(0, np.pi))
        spots = np.maximum(spots, _inside(distance, 0.3))
    return spots


def _tint(field: Array, red: float, green: float, blue: float) -> Array:
    return np.asarray(field[..., None] * np.array([red, green, blue]))


def _rician(rng: Generator, image: Array, level: float) -> Array:
    """The noise of magnitude images: no value below zero, a raised floor."""
    real, imaginary = rng.normal(0, level, (2, *image.shape))
    return np.asarray(np.hypot(image + real, imaginary))


def _walk(rng: Generator, start: Pair, heading: float, length: int, bend: float, turn: float) -> Array:
    """Points ``[length, 3]`` of ``(y, x, heading)``, one pixel apart; the heading turns by about ``turn``."""
    bends = np.convolve(rng.normal(0, bend, length + 40), np.full(40, 1 / 40), "valid")[:length]
    headings = heading + np.cumsum(bends + turn / length)
    y, x = start[0] + np.cumsum(np.sin(headings)), start[1] + np.cumsum(np.cos(headings))
    return np.stack([y, x, headings], axis=1)


def _stroke(path: Array, radius: float, tip: float, value: float) -> Array:
    """Dots ``[length, 4]`` of ``(y, x, radius, value)`` along a path, from ``radius`` to ``tip``."""
    return np.column_stack([path[:, :2], np.linspace(radius, tip, len(path)), np.full(len(path), value)])


def _stamp(plane: _Plane, strokes: Sequence[Array]) -> Array:
    """Draw strokes of at most 4 pixels radius; where they overlap the highest value stays."""
    canvas = np.zeros(plane.shape)
    y, x, radius, value = np.concatenate(strokes).T
    for dy, dx in np.ndindex(9, 9):
        rows, columns = np.rint(y).astype(int) + dy - 4, np.rint(x).astype(int) + dx - 4
        hit = (np.hypot(rows - y, columns - x) <= radius) & (rows >= 0) & (columns >= 0)
        hit &= (rows < plane.shape[0]) & (columns < plane.shape[1])
        np.maximum.at(canvas, (rows[hit], columns[hit]), value[hit])
    return canvas


def endoscopy(shared: Generator, own: Generator, step: int) -> Drawing:
    plane = _plane(shared)
    tilt, phase = shared.uniform(-0.5, 0.5), shared.uniform(0, np.pi)
    opening, length = shared.uniform(0.13, 0.24), shared.uniform(0.42, 0.62)
    image = 0.5 + 0.08 * _field(shared, plane, 16) + 0.04 * _field(own, plane, 5)
    centre = shared.uniform(-0.2, 0.2, 2) + own.normal(0, 0.04, 2)
    u, v = _turned(plane, centre, tilt + own.normal(0, 0.04))
    width = opening * (0.35 + 0.65 * abs(np.sin(phase + 0.8 * step)))
    gap = width * np.sqrt(np.clip(1 - (u / length) ** 2, 0, None)) * (0.8 + 0.4 * u / length)
    along, across = _inside(np.abs(u) / length, 0.3), np.abs(v)
    image += 0.18 * along * _bell(across - gap - 0.08, 0.06) - 0.3 * along * _bell(across - gap - 0.27, 0.06)
    image *= 1 - 0.6 * _inside(_ellipse(plane, centre - np.array([0.68, 0]), (0.14, 0.4), tilt), 0.3)
    image *= 1 - 0.75 * _inside(across / np.maximum(gap, 1e-3), 0.25) * along
    lit = _ellipse(plane, shared.uniform(-0.4, 0.4, 2), (1, 1))
    image *= shared.uniform(0.7, 1.0) / (1 + 0.9 * lit**2)
    image += 0.5 * _spots(own, plane, 12, 0.6, (0.008, 0.035))
    scope = np.hypot(plane.y, plane.x) / shared.uniform(0.9, 1.02)
    image *= _inside(scope, 0.03)
    return 0.03 + image + own.normal(0, 0.025, plane.shape), (across < gap) & (scope < 1)


def fluoroscopy(shared: Generator, own: Generator, step: int) -> Drawing:
    plane = _plane(shared)
    y, x = plane.y, plane.x
    image = 0.66 + 0.08 * _field(shared, plane, 60) + 0.03 * _field(shared, plane, 9)
    spine, period, slant = shared.uniform(0.3, 0.6), shared.uniform(0.3, 0.4), shared.uniform(-0.2, 0.2)
    column = _inside(np.abs(x - spine - slant * y) / 0.2, 0.15)
    image -= column * (0.12 + 0.06 * np.cos(2 * np.pi * y / period))
    for height in np.arange(-0.9, 1, 0.5) + shared.normal(0, 0.04, 4):
        image -= 0.06 * _bell(y - height - 0.25 * (x - 0.2) ** 2, 0.05)
    image -= 0.16 * _inside(_blob(shared, plane, (0.9, -0.7), (0.5, 0.8), 0.08), 0.1)
    image -= 0.16 * _spots(shared, plane, 4, 0.7, (0.08, 0.2))
    bend, swing, start = shared.uniform(-0.3, 0.1), shared.uniform(0.1, 0.2), shared.uniform(-0.6, -0.2)
    dense = np.zeros(plane.shape)
    for part in (-1.5, -0.5, 0.5, 1.5):
        at = start + 0.22 * step + part * own.uniform(0.1, 0.2)
        middle = (at, bend + slant * at + swing * np.sin(3 * at))
        drop = _blob(own, plane, middle, (own.uniform(0.14, 0.26), own.uniform(0.08, 0.14)), 0.06)
        dense = np.maximum(dense, _inside(drop, 0.2))
    image -= shared.uniform(0.2, 0.3) * dense
    image = image * (1 - 0.12 * (y**2 + x**2)) + 0.03 * _field(own, plane, 2)
    shutter = np.maximum(np.abs(y) / y.max(), np.abs(x) / x.max()) / shared.uniform(0.88, 0.97)
    image = 0.06 + image * _inside(shutter, 0.02) + own.normal(0, 0.03, plane.shape)
    return image, (dense > 0.5) & (shutter < 1)


def mri_tumour(shared: Generator, own: Generator, step: int) -> Drawing:
    plane = _plane(shared)
    tilt, radii = shared.uniform(-0.15, 0.15), (shared.uniform(0.82, 0.92), shared.uniform(0.68, 0.8))
    head = _ellipse(plane, (0, 0), radii, tilt)
    brain = _inside(head / 0.86, 0.04)
    furrows = (np.abs(_field(own, plane, 0.06 * plane.half)) < 0.22) & (head > 0.45)
    image = 0.42 + 0.05 * _field(own, plane, 0.15 * plane.half) - 0.1 * furrows
    for side in (-1, 1):
        centre, lean = (-0.05 - 0.1 * side * tilt, side * 0.1), tilt - 0.25 * side
        image -= 0.25 * _inside(_ellipse(plane, centre, (0.24, 0.055), lean), 0.25)
    image -= 0.15 * _bell(_turned(plane, (0, 0), tilt)[1], 0.012)
    angle, away = own.uniform(0, 2 * np.pi), own.uniform(0.45, 0.68)
    centre = (away * radii[0] * np.sin(angle), away * radii[1] * np.cos(angle))
    tumour = _blob(own, plane, centre, own.uniform(0.13, 0.28, 2), 0.1)
    image += 0.08 * _inside(tumour / 1.6, 0.3)
    image += own.uniform(0.14, 0.28) * _inside(tumour, 0.25) * (1 + 0.25 * _field(own, plane, 8))
    image += 0.25 * _spots(own, plane, 8, 0.6, (0.02, 0.07))
    image = image * brain + shared.uniform(0.45, 0.75) * _bell(head - 0.96, 0.035)
    image *= 1 + 0.14 * _field(own, plane, 0.8 * plane.half)
    return _rician(own, image, 0.035), (tumour < 1) & (head < 0.86)


def dermoscopy(shared: Generator, own: Generator, step: int) -> Drawing:
    plane = _plane(shared)
    half, round_ = plane.half, np.hypot(plane.y, plane.x)
    tone = np.array([0.84, 0.64, 0.55]) * shared.uniform(0.75, 1.05) + shared.normal(0, 0.02, 3)
    image = tone + _tint(_field(own, plane, 0.3 * half), 0.035, 0.05, 0.05)
    outline = _blob(own, plane, own.uniform(-0.25, 0.25, 2), own.uniform(0.28, 0.55, 2), 0.1)
    outline = outline + 0.09 * _field(own, plane, 0.1 * half)
    pigment = _inside(outline, own.uniform(0.08, 0.25)) * own.uniform(0.4, 0.9)
    pigment *= 1 + 0.35 * _field(own, plane, 0.2 * half) + 0.15 * _field(own, plane, 3)
    pigment = np.clip(np.maximum(pigment, 0.45 * _spots(own, plane, 10, 0.9, (0.03, 0.12))), 0, 1.2)
    image = image - _tint(pigment, 0.3, 0.34, 0.3) * tone
    image *= (1 + 0.1 * _field(own, plane, 0.9 * half) - 0.16 * round_**2)[..., None]
    hairs = []
    for _ in range(own.integers(3, 16)):
        start, width = own.uniform(0, 1, 2) * plane.shape, own.uniform(0.6, 1.5)
        path = _walk(own, start, own.uniform(0, 2 * np.pi), int(half * 1.2), 0.06, 0.0)
        hairs.append(_stroke(path, width, width, 0.75))
    image *= 1 - _tint(_stamp(plane, hairs), 0.8, 0.85, 0.85)
    image += 0.25 * _spots(own, plane, 6, 0.6, (0.01, 0.03))[..., None]
    scope = round_ / own.uniform(0.98, 1.15)
    image *= _inside(scope, 0.02)[..., None]
    return 0.03 + image + own.normal(0, 0.02, image.shape), (outline < 1) & (scope < 1)


def mri_myoma(shared: Generator, own: Generator, step: int) -> Drawing:
    plane = _plane(shared)
    half, shrink = plane.half, 1 - 0.05 * abs(step - 3)
    body = _blob(shared, plane, (0, 0), (0.92, 0.98), 0.015)
    image = 0.34 + 0.05 * _field(shared, plane, 0.15 * half) + 0.05 * _field(own, plane, 0.05 * half)
    image += 0.4 * _bell(body - 0.92, 0.07)
    bladder = (shared.uniform(0.35, 0.5), shared.uniform(-0.55, -0.35))
    image += 0.4 * _inside(_ellipse(plane, bladder, (0.22 * shrink, 0.2)), 0.12)
    place, tilt = shared.uniform(-0.15, 0.1, 2), shared.uniform(-0.5, 0.5)
    radii = np.array([shared.uniform(0.38, 0.48), shared.uniform(0.44, 0.54)])
    uterus = _ellipse(plane, place, radii * shrink, tilt)
    image += 0.18 * _inside(uterus, 0.08)
    image += 0.16 * _inside(_ellipse(plane, place, (0.05, 0.24), tilt), 0.3)
    first, dark = int(shared.integers(1, 3)), shared.uniform(0.18, 0.26)
    reach = (step - first - 1.5) / 2.2  # within -1 to 1 in four slices of seven, which cut the masses
    mask = np.zeros(plane.shape, dtype=bool)
    for number in range(int(shared.integers(2, 5))):
        turn, away = shared.uniform(0, 2 * np.pi), shared.uniform(0.25, 0.6)
        radius = shared.uniform(0.18, 0.28) if number == 0 else shared.uniform(0.08, 0.16)
        centre = place + away * radii * np.array([np.sin(turn), np.cos(turn)])
        mass = _blob(shared, plane, centre, (radius, 0.9 * radius), 0.03) / np.sqrt(max(1 - reach**2, 1e-12))
        image -= dark * _inside(mass, 0.12) * (1 + 0.2 * _field(own, plane, 5)) * (uterus < 1.1)
        mask |= (mass < 1) & (uterus < 1.1) & (abs(reach) < 1)
    for _ in range(6):  # bowel and vessels: as dark and as round, but outside the uterus
        turn, away, radius = shared.uniform((0, 0.62, 0.06), (2 * np.pi, 0.8, 0.17))
        radius *= 1 - 0.12 * abs(step - shared.integers(0, 7))
        other = _blob(shared, plane, (away * np.sin(turn), away * np.cos(turn)), (radius, radius), 0.04)
        image -= dark * _inside(other, 0.12) * (uterus > 1.1)
    image = image * _inside(body, 0.02) * (1 + 0.15 * _field(own, plane, 0.8 * half))
    return _rician(own, image, 0.03), mask


def fundus(shared: Generator, own: Generator, step: int) -> Drawing:
    plane = _plane(shared)
    half, side, reach = plane.half, float(own.choice([-1.0, 1.0])), np.hypot(plane.y, plane.x) / 0.95
    disc = np.array([own.uniform(-0.12, 0.12), side * own.uniform(0.4, 0.55)])
    light = 0.75 + 0.1 * _field(own, plane, 0.6 * half) - 0.22 * reach**2
    light += 0.03 * _field(own, plane, 4) + 0.03 * _field(own, plane, 12)
    light -= 0.18 * _bell(_ellipse(plane, disc - np.array([0, 0.75 * side]), (1, 1)), 0.2)
    light -= 0.15 * _spots(own, plane, 8, 0.65, (0.012, 0.04))
    image = _tint(light, 0.95, 0.5, 0.28)
    image += _tint(_inside(_ellipse(plane, disc, (0.17, 0.15)), 0.15), 0.1, 0.3, 0.22)
    image += _tint(_spots(own, plane, 5, 0.65, (0.01, 0.05)), 0.09, 0.18, 0.06)
    middle = (np.array(plane.shape) - 1) / 2
    tree = _stamp(plane, _vessels(own, disc * half + middle, half, side))
    image *= 1 - _tint(tree, 0.8, 1.0, 0.9)
    image = 0.02 + image * _inside(reach, 0.01)[..., None]
    return image + own.normal(0, 0.02, image.shape), (tree > 0) & (reach < 1)


def _vessels(rng: Generator, origin: Array, half: float, side: float) -> list[Array]:
    """Strokes of the arcades round the macula and of the nasal branches; the thinner, the fainter."""
    waiting = []
    for up in (-1.0, 1.0):
        # The disc lies towards ``side``; arcades leave it up- and downwards and bend round the macula.
        for lean, turn, length in ((-0.2, 1.5, 1.6), (0.6, 0.7, 1.0), (-1.05, -0.2, 0.7)):
            heading = up * (np.pi / 2 + side * lean) + rng.normal(0, 0.12)
            waiting.append((origin, heading, 2.9 - 0.5 * abs(lean), length, up * side * turn))
    strokes = []
    while waiting:
        start, heading, width, length, turn = waiting.pop()
        path = _walk(rng, start, heading, int(half * length * rng.uniform(0.8, 1.1)), 0.12, turn)
        strokes.append(_stroke(path, width, max(0.6 * width, 1.0), 0.12 + 0.07 * width))
        for at in rng.uniform(0.2, 0.95, 3 if width > 1.4 else 0):
            y, x, onward = path[int(at * (len(path) - 1))]
            fork = onward + rng.choice([-1, 1]) * rng.uniform(0.5, 1.1)
            thinner = max(width * rng.uniform(0.45, 0.65), 1.0)
            waiting.append((np.array([y, x]), fork, thinner, length * 0.6, 0.0))
    return strokes
