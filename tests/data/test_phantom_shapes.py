from __future__ import annotations

import numpy as np
import pytest

from llmseg.data.phantom_shapes import (
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
    turn_axes,
)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def plane(rng):
    return draw_plane(rng)


def test_a_plane_is_measured_in_halves_of_the_short_side(rng):
    for _ in range(20):
        plane = draw_plane(rng)
        short, long = sorted(plane.shape)
        assert 180 <= short <= 360
        assert 20 <= long - short <= 60
        assert plane.y.shape == plane.x.shape == plane.shape
        sides = {plane.shape[0]: plane.y.max(), plane.shape[1]: plane.x.max()}
        assert sides[short] == pytest.approx(1 - 1 / short)
        assert plane.y.min() == -plane.y.max()


@pytest.mark.parametrize("sigma", [3, 20])
def test_texture_is_smooth_noise_of_unit_variance(rng, plane, sigma):
    texture = np.concatenate([draw_texture(rng, plane, sigma).ravel() for _ in range(20)])
    assert abs(texture.mean()) < 0.2
    assert texture.std() == pytest.approx(1, abs=0.15)
    single = draw_texture(rng, plane, sigma)
    near, far = (np.corrcoef(single[:, :-lag].ravel(), single[:, lag:].ravel())[0, 1] for lag in (1, 6 * sigma))
    assert near > 0.9
    assert abs(far) < 0.4


def test_an_ellipse_has_distance_1(plane):
    distance = measure_ellipse(plane, (0.1, -0.2), (0.5, 0.3))
    inside = distance < 1
    assert inside.sum() == pytest.approx(np.pi * 0.5 * 0.3 * plane.half**2, rel=0.02)
    assert plane.y[inside].mean() == pytest.approx(0.1, abs=0.01)
    assert plane.x[inside].mean() == pytest.approx(-0.2, abs=0.01)


def test_a_quarter_turn_exchanges_the_axes(plane):
    u, v = turn_axes(plane, (0, 0), np.pi / 2)
    np.testing.assert_allclose(u, plane.x, atol=1e-12)
    np.testing.assert_allclose(v, -plane.y, atol=1e-12)


def test_the_outline_of_a_blob_wobbles(rng, plane):
    smooth, wavy = (draw_blob(rng, plane, (0, 0), (0.5, 0.5), wobble) for wobble in (0.0, 0.1))
    radius = np.hypot(plane.y, plane.x)
    assert np.ptp(radius[np.abs(smooth - 1) < 0.01]) < 0.02
    assert 0.05 < np.ptp(radius[np.abs(wavy - 1) < 0.01]) < 0.5


def test_edges_and_lines():
    distance = np.array([0.0, 0.9, 1.0, 1.1, 3.0])
    np.testing.assert_allclose(fill_inside(distance, 0.1), [1, 0.88, 0.5, 0.12, 0], atol=0.01)
    np.testing.assert_allclose(fade_from(np.array([0.0, 0.2, -0.2, 1.0]), 0.2), [1, 0.37, 0.37, 0], atol=0.01)


def test_spots_lie_within_reach(rng, plane):
    spots = draw_spots(rng, plane, 30, 0.3, (0.02, 0.04))
    assert spots.max() == pytest.approx(1, abs=0.01)
    rows, columns = np.nonzero(spots > 0.5)
    assert np.abs(plane.y[rows, 0]).max() < 0.36
    assert np.abs(plane.x[0, columns]).max() < 0.36


def test_rician_noise_raises_the_floor(rng):
    noisy = add_rician_noise(rng, np.array([np.zeros(9999), np.ones(9999)]), 0.1)
    assert noisy.min() >= 0
    assert noisy[0].mean() == pytest.approx(0.125, abs=0.01)
    assert noisy[1].mean() == pytest.approx(1, abs=0.01)


def test_a_walk_turns_and_steps_by_a_pixel(rng):
    path = draw_walk(rng, (5, 7), 0.3, 200, 0.0, 1.5)
    assert path.shape == (200, 3)
    assert path[-1, 2] == pytest.approx(0.3 + 1.5)
    np.testing.assert_allclose(np.hypot(*np.diff(path[:, :2], axis=0).T), 1, atol=1e-9)
    assert np.ptp(draw_walk(rng, (5, 7), 0.3, 200, 0.2, 0.0)[:, 2]) > 0.1


def test_the_higher_value_stays_where_strokes_overlap(plane):
    rows = np.arange(20.0, 60.0)
    down = np.column_stack([rows, np.full(40, 40.0), np.zeros(40)])
    across = np.column_stack([np.full(40, 40.0), rows, np.zeros(40)])
    canvas = draw_strokes(plane, [make_stroke(down, 2.0, 2.0, 0.5), make_stroke(across, 2.0, 1.0, 0.8)])
    assert canvas[40, 40] == 0.8
    assert canvas[25, 40] == canvas[25, 42] == 0.5
    assert canvas[25, 43] == canvas[90, 90] == 0
    assert canvas[42, 20] == 0.8
    assert canvas[42, 59] == 0, "the tip is thinner"
    assert draw_strokes(plane, [make_stroke(down - 50, 2.0, 2.0, 0.5)]).shape == plane.shape, "it may leave the image"
