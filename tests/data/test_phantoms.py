"""The drawing of each modality; what a store of phantoms promises is tested in test_synthetic."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from llmseg import SyntheticStore
from llmseg.data import phantoms

DRAW = {name: draw for name, draw in inspect.getmembers(phantoms, inspect.isfunction) if name.startswith("draw_")}
DRAW = {name: draw for name, draw in DRAW.items() if draw.__module__ == phantoms.__name__}


def generators(seed=0):
    return np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])


def test_there_is_a_drawing_for_each_modality():
    assert sorted(DRAW) == [
        "draw_dermoscopy",
        "draw_endoscopy",
        "draw_fluoroscopy",
        "draw_fundus",
        "draw_mri_myoma",
        "draw_mri_tumour",
    ]


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_grey_values_lie_about_0_to_1(draw):
    for seed in range(3):
        image, mask = draw(*generators(seed), 3)
        assert (image.dtype, mask.dtype) == (np.float64, bool)
        assert image.shape[:2] == mask.shape
        clipped = np.mean((image < 0) | (image > 1))
        assert clipped < 0.35, "black corners and reflections only"
        assert 0.05 < np.clip(image, 0, 1).mean() < 0.7


@pytest.mark.parametrize(
    ("modality", "id", "size", "mean", "foreground"),
    [
        ("endoscopy", "002.png", (333, 379), 41.63, 7733),
        ("fluoroscopy", "003.png", (305, 265), 123.88, 3521),
        ("mri-tumour", "001.png", (331, 361), 53.95, 2386),
        ("dermoscopy", "001.png", (326, 349), 116.3, 17032),
        ("mri-myoma", "004.png", (311, 369), 70.9, 4045),
        ("fundus", "001.png", (354, 301), 63.23, 7946),
    ],
)
def test_phantoms_of_today_are_those_of_tomorrow(modality, id, size, mean, foreground):
    """Another number or another order of draws changes them; then PHANTOM_VERSION is to be raised."""
    case = SyntheticStore(modality, count=8).read(id)
    assert case.mask.shape == size
    assert case.image.mean() == pytest.approx(mean, abs=0.01)
    assert (case.mask > 0).sum() == pytest.approx(foreground, abs=2)


def test_vessels_grow_from_the_disc_outwards():
    strokes = phantoms._draw_vessels(np.random.default_rng(0), np.array([100.0, 60.0]), 100.0, -1.0)
    radii = np.concatenate([stroke[:, 2] for stroke in strokes])
    assert len(strokes) > 6, "arcades have branches"
    assert 1 <= radii.min() <= radii.max() <= 4, "draw_strokes draws no thicker ones"
    assert all(stroke[0, 2] >= stroke[-1, 2] for stroke in strokes)
    from_disc = [stroke for stroke in strokes if np.hypot(*(stroke[0, :2] - (100, 60))) < 3]
    assert len(from_disc) == 6
