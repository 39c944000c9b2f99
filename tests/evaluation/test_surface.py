from __future__ import annotations

import numpy as np
import pytest
import surface_distance
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice
from skimage.metrics import hausdorff_distance

from llmseg.evaluation.surface import SurfaceDistances

pytestmark = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
masks = arrays(bool, (13, 11)).filter(np.any)


def tensors(pair):
    return [torch.from_numpy(mask)[None, None] for mask in pair]


def test_hd95_is_that_of_monai(pair):
    theirs = compute_hausdorff_distance(*tensors(pair), include_background=True, percentile=95)
    assert SurfaceDistances.of(*pair).hd95 == pytest.approx(theirs.item(), rel=1e-6)


def test_the_two_directions_are_those_of_monai(pair):
    ours = SurfaceDistances.of(*pair)
    for one, found in ((pair, ours.there), (pair[::-1], ours.back)):
        theirs = compute_average_surface_distance(*tensors(one), include_background=True)
        assert found.mean() == pytest.approx(theirs.item(), rel=1e-6, abs=1e-9)


def test_assd_is_that_of_monai(pair):
    theirs = compute_average_surface_distance(*tensors(pair), include_background=True, symmetric=True)
    assert SurfaceDistances.of(*pair).assd == pytest.approx(theirs.item(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 2.5])
def test_nsd_is_that_of_monai(pair, tolerance):
    theirs = compute_surface_dice(*tensors(pair), class_thresholds=[tolerance], include_background=True)
    assert SurfaceDistances.of(*pair).nsd(tolerance) == pytest.approx(theirs.item(), rel=1e-6)


def test_the_largest_distance_is_that_of_scikit_image(pair):
    ours = SurfaceDistances.of(*pair)
    edges = [mask & ~_inner(mask) for mask in pair]
    assert max(ours.there.max(), ours.back.max()) == pytest.approx(hausdorff_distance(*edges))


def _inner(mask: np.ndarray) -> np.ndarray:
    wide = np.pad(mask, 1)
    return wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_deepmind_weighs_boundaries_by_length():
    """Its boundary runs between pixels, so that a shift by one pixel gives other numbers."""
    prediction, reference = np.zeros((2, 30, 30), bool)
    reference[8:20, 8:20] = prediction[10:22, 8:20] = True
    theirs = surface_distance.compute_surface_distances(reference, prediction, spacing_mm=(1, 1))
    ours = SurfaceDistances.of(prediction, reference)
    assert ours.hd95 == surface_distance.compute_robust_hausdorff(theirs, 95) == 2.0
    assert round(ours.nsd(1.0), 4) == 0.5455
    assert round(surface_distance.compute_surface_dice_at_tolerance(theirs, 1.0), 4) == 0.5427


def test_pooled_directions_hide_far_false_positives():
    """Packages that pool both directions before the percentile see nothing of a speck far away."""
    rows, columns = np.ogrid[:48, :40]
    reference = (rows - 20) ** 2 + (columns - 20) ** 2 <= 64
    prediction = reference | ((rows - 46) ** 2 + (columns - 38) ** 2 <= 1)
    ours = SurfaceDistances.of(prediction, reference)
    assert round(ours.hd95, 1) == 23.2
    assert np.percentile(np.concatenate([ours.there, ours.back]), 95) == 0


@settings(deadline=None)
@given(one=masks, other=masks, tolerance=st.floats(0, 20))
def test_both_directions_count_alike(one, other, tolerance):
    there, back = SurfaceDistances.of(one, other), SurfaceDistances.of(other, one)
    assert there.hd95 == back.hd95
    assert there.assd == pytest.approx(back.assd)
    assert there.nsd(tolerance) == back.nsd(tolerance)
    assert there.nsd(0) <= there.nsd(tolerance) <= there.nsd(tolerance + 1) <= 1
    assert 0 <= there.hd95 <= np.hypot(13, 11)


@settings(deadline=None)
@given(one=masks, other=masks, shift=st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_the_place_in_the_image_does_not_matter(one, other, shift):
    placed = []
    for start in ((1, 1), shift):
        wide = np.zeros((2, 22, 20), bool)
        wide[:, start[0] : start[0] + 13, start[1] : start[1] + 11] = one, other
        placed.append(SurfaceDistances.of(*wide))
    assert placed[0].hd95 == placed[1].hd95
    assert placed[0].assd == placed[1].assd


@settings(deadline=None)
@given(one=masks, other=masks)
def test_every_distance_is_the_shortest(one, other):
    ours = SurfaceDistances.of(one, other)
    edges = [np.argwhere(mask & ~_inner(mask)) for mask in (one, other)]
    every = np.linalg.norm(edges[0][:, None] - edges[1][None], axis=2)
    np.testing.assert_allclose(np.sort(ours.there), np.sort(every.min(1)))
    np.testing.assert_allclose(np.sort(ours.back), np.sort(every.min(0)))
