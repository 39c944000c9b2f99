"""How a phantom of each modality is drawn.

Units. Grey values run from 0 (black) to 1 (white) and may lie a little outside, for they are clipped at the end. Unless
pixels are named, a length is in *halves*: halves of the image's short side, so -1 and 1 are its edges, 0 is its middle,
and a phantom looks alike in every size. An angle is in radians. An edge of ``0.1`` is a tenth of the radius wide.

Numbers. They are no measurements. They make dark here what is dark in such images, at about that size and contrast. Two
rules stand behind them, and tests check both: a threshold does not find the mask, for there are *distractors* of the
same grey; and the target differs from what surrounds it. Every number decides the bytes, and so does the order in which
random numbers are drawn. A change of either asks for another ``PHANTOM_VERSION``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from llmseg.data.phantom_shapes import (
    Array,
    add_rician_noise,
    draw_blob,
    draw_plane,
    draw_spots,
    draw_strokes,
    draw_texture,
    draw_walk,
    fade_from,
    fill_inside,
    make_stroke,
    measure_ellipse,
    tint,
    turn_axes,
)

Drawing: TypeAlias = tuple[Array, NDArray[np.bool_]]
"""Image ``[H, W]`` or ``[H, W, 3]`` in about 0..1, and mask ``[H, W]``."""


def draw_endoscopy(shared: Generator, own: Generator, step: int) -> Drawing:
    """Draw a frame of a video of the larynx; the mask is the glottis, the gap between the vocal folds."""
    plane = draw_plane(shared)
    tilt, phase = shared.uniform(-0.5, 0.5), shared.uniform(0, np.pi)
    # Widest opening across, and half the length along the folds.
    opening, length = shared.uniform(0.13, 0.24), shared.uniform(0.42, 0.62)
    # Mucosa: bumps of 16 pixels that stay from frame to frame, and of 5 that do not.
    image = 0.5 + 0.08 * draw_texture(shared, plane, 16) + 0.04 * draw_texture(own, plane, 5)
    # The camera shakes by 0.04 in place and angle.
    centre = shared.uniform(-0.2, 0.2, 2) + own.normal(0, 0.04, 2)
    u, v = turn_axes(plane, centre, tilt + own.normal(0, 0.04))
    # The folds swing: 0.8 radians of the swing from frame to frame. At least 35 % stay open, so no mask is empty.
    width = opening * (0.35 + 0.65 * abs(np.sin(phase + 0.8 * step)))
    # An ellipse that is half again as wide at one end (1.2 against 0.8): a triangle with round corners.
    gap = width * np.sqrt(np.clip(1 - (u / length) ** 2, 0, None)) * (0.8 + 0.4 * u / length)
    along, across = fill_inside(np.abs(u) / length, 0.3), np.abs(v)
    # Beside the gap the bright folds, 0.08 away, and beyond them a dark furrow, 0.27 away.
    image += 0.18 * along * fade_from(across - gap - 0.08, 0.06) - 0.3 * along * fade_from(across - gap - 0.27, 0.06)
    # Distractor: a second dark hollow, 0.68 above the glottis.
    image *= 1 - 0.6 * fill_inside(measure_ellipse(plane, centre - np.array([0.68, 0]), (0.14, 0.4), tilt), 0.3)
    # The glottis itself: a quarter of the light comes back. 1e-3 keeps the division finite beyond its ends.
    image *= 1 - 0.75 * fill_inside(across / np.maximum(gap, 1e-3), 0.25) * along
    # The lamp: light falls off with the squared distance from where it points.
    lit = measure_ellipse(plane, shared.uniform(-0.4, 0.4, 2), (1, 1))
    image *= shared.uniform(0.7, 1.0) / (1 + 0.9 * lit**2)
    # Twelve reflections on wet tissue, nearly white.
    image += 0.5 * draw_spots(own, plane, 12, 0.6, (0.008, 0.035))
    # The round field of view, up to the short side's edge or just short of it; black beyond.
    scope = np.hypot(plane.y, plane.x) / shared.uniform(0.9, 1.02)
    image *= fill_inside(scope, 0.03)
    return 0.03 + image + own.normal(0, 0.025, plane.shape), (across < gap) & (scope < 1)


def draw_fluoroscopy(shared: Generator, own: Generator, step: int) -> Drawing:
    """Draw a frame of an X-ray video of swallowing; the mask is the bolus, dark with contrast agent."""
    plane = draw_plane(shared)
    y, x = plane.y, plane.x
    # Soft tissue: bright, with shades of 60 pixels and a grain of 9.
    image = 0.66 + 0.08 * draw_texture(shared, plane, 60) + 0.03 * draw_texture(shared, plane, 9)
    # The spine: a dark column 0.4 wide whose vertebrae come every 0.3 to 0.4.
    spine, period, slant = shared.uniform(0.3, 0.6), shared.uniform(0.3, 0.4), shared.uniform(-0.2, 0.2)
    column = fill_inside(np.abs(x - spine - slant * y) / 0.2, 0.15)
    image -= column * (0.12 + 0.06 * np.cos(2 * np.pi * y / period))
    # Four ribs: thin parabolas, half a unit apart, sagging by a quarter of the squared distance.
    for height in np.arange(-0.9, 1, 0.5) + shared.normal(0, 0.04, 4):
        image -= 0.06 * fade_from(y - height - 0.25 * (x - 0.2) ** 2, 0.05)
    # Distractors, a little less dark than the bolus: a large shadow in the corner, and four small ones.
    image -= 0.16 * fill_inside(draw_blob(shared, plane, (0.9, -0.7), (0.5, 0.8), 0.08), 0.1)
    image -= 0.16 * draw_spots(shared, plane, 4, 0.7, (0.08, 0.2))
    # The way of the bolus: a swinging line downwards. It sinks by 0.22 from frame to frame.
    bend, swing, start = shared.uniform(-0.3, 0.1), shared.uniform(0.1, 0.2), shared.uniform(-0.6, -0.2)
    dense = np.zeros(plane.shape)
    # Four drops that flow into each other, 0.1 to 0.2 apart.
    for part in (-1.5, -0.5, 0.5, 1.5):
        height = start + 0.22 * step + part * own.uniform(0.1, 0.2)
        middle = (height, bend + slant * height + swing * np.sin(3 * height))
        drop = draw_blob(own, plane, middle, (own.uniform(0.14, 0.26), own.uniform(0.08, 0.14)), 0.06)
        dense = np.maximum(dense, fill_inside(drop, 0.2))
    image -= shared.uniform(0.2, 0.3) * dense
    # Corners get less light, and the detector has a grain of 2 pixels.
    image = image * (1 - 0.12 * (y**2 + x**2)) + 0.03 * draw_texture(own, plane, 2)
    # The shutter: a rectangle of 88 to 97 % of both sides; nearly black beyond.
    shutter = np.maximum(np.abs(y) / y.max(), np.abs(x) / x.max()) / shared.uniform(0.88, 0.97)
    image = 0.06 + image * fill_inside(shutter, 0.02) + own.normal(0, 0.03, plane.shape)
    return image, (dense > 0.5) & (shutter < 1)


def draw_mri_tumour(shared: Generator, own: Generator, step: int) -> Drawing:
    """Draw an axial slice of a head after contrast agent; the mask is a bright tumour near the skull."""
    plane = draw_plane(shared)
    tilt, radii = shared.uniform(-0.15, 0.15), (shared.uniform(0.82, 0.92), shared.uniform(0.68, 0.8))
    head = measure_ellipse(plane, (0, 0), radii, tilt)
    # The brain fills 86 % of the head's radius; the skull and the scalp are the rest.
    brain = fill_inside(head / 0.86, 0.04)
    # Furrows: where smooth noise is near zero, which gives winding lines. The inner 45 % have none.
    furrows = (np.abs(draw_texture(own, plane, 0.06 * plane.half)) < 0.22) & (head > 0.45)
    image = 0.42 + 0.05 * draw_texture(own, plane, 0.15 * plane.half) - 0.1 * furrows
    # The two ventricles: dark, long and thin, spread like a V.
    for side in (-1, 1):
        centre, lean = (-0.05 - 0.1 * side * tilt, side * 0.1), tilt - 0.25 * side
        image -= 0.25 * fill_inside(measure_ellipse(plane, centre, (0.24, 0.055), lean), 0.25)
    # The cleft between the halves of the brain: a dark line, 2 to 4 pixels wide.
    image -= 0.15 * fade_from(turn_axes(plane, (0, 0), tilt)[1], 0.012)
    # Meningiomas grow from the membranes around the brain, so the centre lies 45 to 68 % of the way to the edge.
    angle, away = own.uniform(0, 2 * np.pi), own.uniform(0.45, 0.68)
    centre = (away * radii[0] * np.sin(angle), away * radii[1] * np.cos(angle))
    tumour = draw_blob(own, plane, centre, own.uniform(0.13, 0.28, 2), 0.1)
    # A faint halo of 1.6 times its size, then the tumour, uneven by a quarter.
    image += 0.08 * fill_inside(tumour / 1.6, 0.3)
    image += own.uniform(0.14, 0.28) * fill_inside(tumour, 0.25) * (1 + 0.25 * draw_texture(own, plane, 8))
    # Distractors: eight vessels as bright as the tumour, and the scalp, which is brighter.
    image += 0.25 * draw_spots(own, plane, 8, 0.6, (0.02, 0.07))
    image = image * brain + shared.uniform(0.45, 0.75) * fade_from(head - 0.96, 0.035)
    # The coil sees one side better than the other.
    image *= 1 + 0.14 * draw_texture(own, plane, 0.8 * plane.half)
    return add_rician_noise(own, image, 0.035), (tumour < 1) & (head < 0.86)


def draw_dermoscopy(shared: Generator, own: Generator, step: int) -> Drawing:
    """Draw a photograph of skin through a dermatoscope; the mask is a brown lesion."""
    plane = draw_plane(shared)
    half, radius = plane.half, np.hypot(plane.y, plane.x)
    # Skin: a light brown pink (red, green, blue) of varying lightness, with wide shades.
    tone = np.array([0.84, 0.64, 0.55]) * shared.uniform(0.75, 1.05) + shared.normal(0, 0.02, 3)
    image = tone + tint(draw_texture(own, plane, 0.3 * half), 0.035, 0.05, 0.05)
    # The outline is that of a blob of 0.28 to 0.55 radius, frayed by noise.
    outline = draw_blob(own, plane, own.uniform(-0.25, 0.25, 2), own.uniform(0.28, 0.55, 2), 0.1)
    outline = outline + 0.09 * draw_texture(own, plane, 0.1 * half)
    # Pigment has an edge from sharp to soft and is uneven in the large and in the small.
    pigment = fill_inside(outline, own.uniform(0.08, 0.25)) * own.uniform(0.4, 0.9)
    pigment *= 1 + 0.35 * draw_texture(own, plane, 0.2 * half) + 0.15 * draw_texture(own, plane, 3)
    # Distractors: ten freckles.
    pigment = np.clip(np.maximum(pigment, 0.45 * draw_spots(own, plane, 10, 0.9, (0.03, 0.12))), 0, 1.2)
    image = image - tint(pigment, 0.3, 0.34, 0.3) * tone
    # Uneven light, darker towards the rim.
    image *= (1 + 0.1 * draw_texture(own, plane, 0.9 * half) - 0.16 * radius**2)[..., None]
    # 3 to 15 hairs, 1 to 3 pixels wide and 0.6 of the short side long, that take away 60 % of the light.
    hairs = []
    for _ in range(own.integers(3, 16)):
        start, width = own.uniform(0, 1, 2) * plane.shape, own.uniform(0.6, 1.5)
        path = draw_walk(own, start, own.uniform(0, 2 * np.pi), int(half * 1.2), 0.06, 0.0)
        hairs.append(make_stroke(path, width, width, 0.75))
    image *= 1 - tint(draw_strokes(plane, hairs), 0.8, 0.85, 0.85)
    # Six bright bubbles of the immersion fluid.
    image += 0.25 * draw_spots(own, plane, 6, 0.6, (0.01, 0.03))[..., None]
    # The round field of view; black beyond.
    scope = radius / own.uniform(0.98, 1.15)
    image *= fill_inside(scope, 0.02)[..., None]
    return 0.03 + image + own.normal(0, 0.02, image.shape), (outline < 1) & (scope < 1)


def draw_mri_myoma(shared: Generator, own: Generator, step: int) -> Drawing:
    """Draw a sagittal slice of a pelvis, one of seven of a volume; the mask is the myomas, dark and round."""
    plane = draw_plane(shared)
    # Slice 3 is the middle of seven. Organs are 5 % smaller with each slice from there.
    half, shrink = plane.half, 1 - 0.05 * abs(step - 3)
    body = draw_blob(shared, plane, (0, 0), (0.92, 0.98), 0.015)
    image = 0.34 + 0.05 * draw_texture(shared, plane, 0.15 * half) + 0.05 * draw_texture(own, plane, 0.05 * half)
    # Fat under the skin is bright in T2, and so is the full bladder, in front and below.
    image += 0.4 * fade_from(body - 0.92, 0.07)
    bladder = (shared.uniform(0.35, 0.5), shared.uniform(-0.55, -0.35))
    image += 0.4 * fill_inside(measure_ellipse(plane, bladder, (0.22 * shrink, 0.2)), 0.12)
    # The uterus, a little brighter than what is around it, and the thin bright cavity in its middle.
    middle, tilt = shared.uniform(-0.15, 0.1, 2), shared.uniform(-0.5, 0.5)
    radii = np.array([shared.uniform(0.38, 0.48), shared.uniform(0.44, 0.54)])
    uterus = measure_ellipse(plane, middle, radii * shrink, tilt)
    image += 0.18 * fill_inside(uterus, 0.08)
    image += 0.16 * fill_inside(measure_ellipse(plane, middle, (0.05, 0.24), tilt), 0.3)
    first, dark = int(shared.integers(1, 3)), shared.uniform(0.18, 0.26)
    reach = (step - first - 1.5) / 2.2  # within -1 to 1 in four slices of seven, which cut the masses
    mask = np.zeros(plane.shape, dtype=bool)
    # Two to four myomas; the first is the largest.
    for index in range(int(shared.integers(2, 5))):
        angle, away = shared.uniform(0, 2 * np.pi), shared.uniform(0.25, 0.6)
        radius = shared.uniform(0.18, 0.28) if index == 0 else shared.uniform(0.08, 0.16)
        centre = middle + away * radii * np.array([np.sin(angle), np.cos(angle)])
        # A ball is cut in a circle of radius sqrt(1 - reach^2). Beyond it the radius is next to 0, not imaginary.
        mass = draw_blob(shared, plane, centre, (radius, 0.9 * radius), 0.03) / np.sqrt(max(1 - reach**2, 1e-12))
        image -= dark * fill_inside(mass, 0.12) * (1 + 0.2 * draw_texture(own, plane, 5)) * (uterus < 1.1)
        # A myoma may bulge out of the uterus by a tenth of its radius, no further.
        mask |= (mass < 1) & (uterus < 1.1) & (abs(reach) < 1)
    for _ in range(6):  # bowel and vessels: as dark and as round, but outside the uterus
        angle, away, radius = shared.uniform((0, 0.62, 0.06), (2 * np.pi, 0.8, 0.17))
        radius *= 1 - 0.12 * abs(step - shared.integers(0, 7))
        distractor = draw_blob(shared, plane, (away * np.sin(angle), away * np.cos(angle)), (radius, radius), 0.04)
        image -= dark * fill_inside(distractor, 0.12) * (uterus > 1.1)
    # The coil sees one side better than the other; air around the body is black.
    image = image * fill_inside(body, 0.02) * (1 + 0.15 * draw_texture(own, plane, 0.8 * half))
    return add_rician_noise(own, image, 0.03), mask


def draw_fundus(shared: Generator, own: Generator, step: int) -> Drawing:
    """Draw a photograph of the back of an eye; the mask is the vessels."""
    plane = draw_plane(shared)
    # A left or a right eye: the optic disc lies to that side. The round field of view fills 95 % of the short side.
    half, side, reach = plane.half, float(own.choice([-1.0, 1.0])), np.hypot(plane.y, plane.x) / 0.95
    disc = np.array([own.uniform(-0.12, 0.12), side * own.uniform(0.4, 0.55)])
    # Light falls off towards the rim, with shades in the large and two grains of 4 and 12 pixels.
    light = 0.75 + 0.1 * draw_texture(own, plane, 0.6 * half) - 0.22 * reach**2
    light += 0.03 * draw_texture(own, plane, 4) + 0.03 * draw_texture(own, plane, 12)
    # The macula: a dark spot, 0.75 from the disc. Eight small bleedings are as dark as vessels.
    light -= 0.18 * fade_from(measure_ellipse(plane, disc - np.array([0, 0.75 * side]), (1, 1)), 0.2)
    light -= 0.15 * draw_spots(own, plane, 8, 0.65, (0.012, 0.04))
    # Red and orange; the disc and five fatty spots are yellow.
    image = tint(light, 0.95, 0.5, 0.28)
    image += tint(fill_inside(measure_ellipse(plane, disc, (0.17, 0.15)), 0.15), 0.1, 0.3, 0.22)
    image += tint(draw_spots(own, plane, 5, 0.65, (0.01, 0.05)), 0.09, 0.18, 0.06)
    middle = (np.array(plane.shape) - 1) / 2
    tree = draw_strokes(plane, _draw_vessels(own, disc * half + middle, half, side))
    # Vessels are best seen in green, as in photographs without red light.
    image *= 1 - tint(tree, 0.8, 1.0, 0.9)
    image = 0.02 + image * fill_inside(reach, 0.01)[..., None]
    return image + own.normal(0, 0.02, image.shape), (tree > 0) & (reach < 1)


def _draw_vessels(rng: Generator, origin: Array, half: float, side: float) -> list[Array]:
    """Draw the strokes of all vessels from the disc outwards. The thinner a vessel, the fainter.

    Args:
        rng: The generator.
        origin: Middle of the disc in pixels.
        half: Half the short side in pixels.
        side: Side of the disc: -1 left, 1 right.
    """
    waiting = []
    for up in (-1.0, 1.0):
        # The disc lies towards ``side``; arcades leave it up- and downwards and bend round the macula. The second
        # vessel of each half heads for the macula's side, the third away from it. A vessel that leans more is thinner.
        for lean, turn, length in ((-0.2, 1.5, 1.6), (0.6, 0.7, 1.0), (-1.05, -0.2, 0.7)):
            heading = up * (np.pi / 2 + side * lean) + rng.normal(0, 0.12)
            waiting.append((origin, heading, 2.9 - 0.5 * abs(lean), length, up * side * turn))
    strokes = []
    while waiting:
        start, heading, width, length, turn = waiting.pop()
        path = draw_walk(rng, start, heading, int(half * length * rng.uniform(0.8, 1.1)), 0.12, turn)
        # A vessel loses 40 % of its width, but is never thinner than one pixel of radius.
        strokes.append(make_stroke(path, width, max(0.6 * width, 1.0), 0.12 + 0.07 * width))
        # Each vessel above 1.4 pixels has three branches: half as thick, 0.6 as long, 30 to 60 degrees to one side.
        for share in rng.uniform(0.2, 0.95, 3 if width > 1.4 else 0):
            y, x, onward = path[int(share * (len(path) - 1))]
            fork = onward + rng.choice([-1, 1]) * rng.uniform(0.5, 1.1)
            thinner = max(width * rng.uniform(0.45, 0.65), 1.0)
            waiting.append((np.array([y, x]), fork, thinner, length * 0.6, 0.0))
    return strokes
