"""Synthetic stores: phantoms that look like the six kinds of images of the study, drawn on demand.

They need no download and no licence, so tests, tutorials and benchmarks use them in place of the datasets.
A phantom is drawn in float64 and rounded to 8 bits once, so that its bytes do not depend on the machine.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from llmseg.data.store import Case
from llmseg.errors import UserError, nearest

MODALITIES: tuple[str, ...] = ("endoscopy", "fluoroscopy", "mri-tumour", "dermoscopy", "mri-myoma", "fundus")

PHANTOM_VERSION = 1
"""Part of every digest; raise it with any change of the drawing code."""

Array = NDArray[np.float64]
Pair = Sequence[float] | Array
Drawing = tuple[Array, NDArray[np.bool_]]


@dataclass(frozen=True)
class SyntheticStore:
    """A store of phantoms of one modality, drawn when they are read.

    Native sizes differ from group to group, are never square and lie between 180 and 420 pixels. Videos have
    four frames and volumes seven slices; three slices in seven have an empty mask.

    Attributes:
        modality: One of :data:`MODALITIES`; ``"dermoscopy"`` and ``"fundus"`` are RGB, the others grey.
        count: Number of cases, at least 1. A case does not depend on it.
        seed: 0 or more; another seed draws other cases.

    Raises:
        UserError: The modality is unknown, or ``count`` or ``seed`` is too small.

    Example:
        >>> store = SyntheticStore("fundus", count=2)
        >>> store.ids
        ('001.png', '002.png')
        >>> case = store.read("001.png")
        >>> case.image.ndim, case.mask.ndim, case.image.dtype
        (3, 2, dtype('uint8'))
    """

    modality: str
    count: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            allowed = ", ".join(MODALITIES)
            hint = nearest(str(self.modality), MODALITIES)
            raise UserError(f"modality '{self.modality}': must be one of {allowed}{hint}")
        if self.count < 1:
            raise UserError(f"count {self.count}: must be at least 1")
        if self.seed < 0:
            raise UserError(f"seed {self.seed}: must be at least 0")

    @property
    def name(self) -> str:
        """``"synthetic-"`` and the modality."""
        return f"synthetic-{self.modality}"

    @functools.cached_property
    def ids(self) -> tuple[str, ...]:
        """``"001.png"`` and so on; sorted order is drawing order."""
        width = max(3, len(str(self.count)))
        return tuple(f"{number:0{width}d}.png" for number in range(1, self.count + 1))

    @functools.cached_property
    def groups(self) -> Mapping[str, str]:
        """The video, volume, patient or lesion of every case, by id."""
        _, kind, size = _PHANTOMS[self.modality]
        return {id: f"{kind}-{index // size + 1:03d}" for index, id in enumerate(self.ids)}

    @property
    def digest(self) -> str:
        """SHA-256 over the parameters and :data:`PHANTOM_VERSION`, 64 hexadecimal digits."""
        content = ("synthetic", PHANTOM_VERSION, self.modality, self.count, self.seed)
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def read(self, id: str) -> Case:
        """Draw one case.

        Args:
            id: One of :attr:`ids`.

        Returns:
            The case: image uint8 ``[H, W]`` or ``[H, W, 3]``, mask uint8 ``[H, W]`` of 0 and 255.

        Raises:
            UserError: The id is unknown.
        """
        if id not in self.groups:
            span = f"it has {self.ids[0]} to {self.ids[-1]}"
            raise UserError(f"no case '{id}' in {self.name}: {span}{nearest(str(id), self.ids)}")
        draw, _, size = _PHANTOMS[self.modality]
        group, step = divmod(self.ids.index(id), size)
        entropy = [MODALITIES.index(self.modality), self.seed, group]
        shared = np.random.default_rng(np.random.SeedSequence(entropy))
        # A trailing 0 would not change the entropy, and the first case would repeat the numbers of its group.
        own = np.random.default_rng(np.random.SeedSequence([*entropy, step + 1]))
        image, mask = draw(shared, own, step)
        pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        return Case(id=id, image=pixels, mask=np.where(mask, 255, 0).astype(np.uint8))


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
    """Dots ``[length, 4]`` of ``(y, x, radius, value)`` along a path; the radius goes from one to the other."""
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


def _endoscopy(shared: Generator, own: Generator, step: int) -> Drawing:
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


def _fluoroscopy(shared: Generator, own: Generator, step: int) -> Drawing:
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


def _mri_tumour(shared: Generator, own: Generator, step: int) -> Drawing:
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


def _dermoscopy(shared: Generator, own: Generator, step: int) -> Drawing:
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


def _mri_myoma(shared: Generator, own: Generator, step: int) -> Drawing:
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


def _fundus(shared: Generator, own: Generator, step: int) -> Drawing:
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
        # The disc lies towards ``side``; arcades leave it upwards and downwards and bend back round the macula.
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
            waiting.append((np.array([y, x]), fork, max(width * rng.uniform(0.45, 0.65), 1.0), length * 0.6, 0.0))
    return strokes


# Per modality: what draws a case, what the cases of a group share, how many cases a group has.
_PHANTOMS: dict[str, tuple[Callable[[Generator, Generator, int], Drawing], str, int]] = {
    "endoscopy": (_endoscopy, "video", 4),
    "fluoroscopy": (_fluoroscopy, "video", 4),
    "mri-tumour": (_mri_tumour, "patient", 1),
    "dermoscopy": (_dermoscopy, "lesion", 1),
    "mri-myoma": (_mri_myoma, "volume", 7),
    "fundus": (_fundus, "patient", 1),
}
