from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import surface_distance
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.metrics import (
    HausdorffDistanceMetric,
    compute_average_surface_distance,
    compute_hausdorff_distance,
    compute_surface_dice,
)
from skimage.metrics import hausdorff_distance

from llmseg.evaluation.measures import measure_case
from llmseg.evaluation.surface import SurfaceDistances

pytestmark = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
DOCS = (Path(__file__).parents[2] / "docs" / "explanation" / "evaluate.md").read_text(encoding="utf-8")
masks = arrays(bool, (13, 11)).filter(np.any)


def tensors(pair):
    return [torch.from_numpy(mask)[None, None] for mask in pair]


def test_hd95_is_that_of_monai(pair):
    theirs = compute_hausdorff_distance(*tensors(pair), include_background=True, percentile=95)
    assert SurfaceDistances.of(*pair).hd95 == pytest.approx(theirs.item(), rel=1e-6)


def test_the_two_directions_are_those_of_monai(pair):
    ours = SurfaceDistances.of(*pair)
    for direction, distances in ((pair, ours.to_reference), (pair[::-1], ours.to_prediction)):
        theirs = compute_average_surface_distance(*tensors(direction), include_background=True)
        assert distances.mean() == pytest.approx(theirs.item(), rel=1e-6, abs=1e-9)


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
    assert max(ours.to_reference.max(), ours.to_prediction.max()) == pytest.approx(hausdorff_distance(*edges))


def _inner(mask: np.ndarray) -> np.ndarray:
    wide = np.pad(mask, 1)
    return wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]


def square(row: int, side: int) -> np.ndarray:
    mask = np.zeros((48, 40), bool)
    mask[row : row + side, 8 : 8 + side] = True
    return mask


def disc(row: int, column: int, radius: int) -> np.ndarray:
    rows, columns = np.ogrid[:48, :40]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


SPECK = (disc(20, 20, 8) | disc(46, 38, 1), disc(20, 20, 8))
EXAMPLES = {
    "two pixels, 2 apart": (square(10, 1), square(12, 1)),
    "square of 12, moved by 2": (square(10, 12), square(8, 12)),
    "disc and a speck far away": SPECK,
    "disc of 15 with a hole of one pixel": (disc(20, 20, 15) & ~disc(20, 20, 0), disc(20, 20, 15)),
}


def pooled_hd95(pair):
    """HD95 as medpy defines it: one percentile of the distances of both directions."""
    ours = SurfaceDistances.of(*pair)
    return np.percentile(np.concatenate([ours.to_reference, ours.to_prediction]), 95)


def deepmind(pair):
    return surface_distance.compute_surface_distances(pair[1], pair[0], spacing_mm=(1, 1))


def largest(pair):
    ours = SurfaceDistances.of(*pair)
    return max(ours.to_reference.max(), ours.to_prediction.max())


NSD, HD95, ASSD, LARGEST = "NSD at 1", "HD95", "ASSD", "largest distance"
OURS = {
    NSD: lambda pair: SurfaceDistances.of(*pair).nsd(1.0),
    HD95: lambda pair: SurfaceDistances.of(*pair).hd95,
    ASSD: lambda pair: SurfaceDistances.of(*pair).assd,
    LARGEST: largest,
}
THEIRS = {
    ("DeepMind", NSD): lambda pair: surface_distance.compute_surface_dice_at_tolerance(deepmind(pair), 1.0),
    ("DeepMind", HD95): lambda pair: surface_distance.compute_robust_hausdorff(deepmind(pair), 95),
    ("DeepMind, mean of both", ASSD): lambda pair: np.mean(
        surface_distance.compute_average_surface_distance(deepmind(pair))
    ),
    ("medpy's definition", HD95): pooled_hd95,
    ("MONAI's default, one direction", ASSD): lambda pair: compute_average_surface_distance(
        *tensors(pair), include_background=True
    ).item(),
    ("scikit-image, whole masks", LARGEST): lambda pair: hausdorff_distance(*pair),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("masks", "measure", "whose"),
    [
        ("two pixels, 2 apart", NSD, "DeepMind"),
        ("two pixels, 2 apart", ASSD, "DeepMind, mean of both"),
        ("square of 12, moved by 2", NSD, "DeepMind"),
        ("disc and a speck far away", HD95, "DeepMind"),
        ("disc and a speck far away", HD95, "medpy's definition"),
        ("disc and a speck far away", ASSD, "MONAI's default, one direction"),
        ("disc of 15 with a hole of one pixel", LARGEST, "scikit-image, whole masks"),
    ],
)
def test_differences_are_those_of_the_docs(masks, measure, whose):
    ours, theirs = OURS[measure](EXAMPLES[masks]), THEIRS[whose, measure](EXAMPLES[masks])
    assert ours != pytest.approx(theirs, rel=1e-3)
    assert f"| {masks} | {measure} | {ours:.4f} | {theirs:.4f} | {whose} |\n" in DOCS


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_deepmind_agrees_where_lengths_are_alike():
    moved = EXAMPLES["square of 12, moved by 2"]
    assert surface_distance.compute_robust_hausdorff(deepmind(moved), 95) == SurfaceDistances.of(*moved).hd95 == 2


@pytest.mark.filterwarnings("ignore:.*may result in nan/inf distance:UserWarning")
@pytest.mark.parametrize(
    ("masks", "pair"),
    [
        ("both empty", (square(0, 0), square(0, 0))),
        ("false alarm", (square(8, 12), square(0, 0))),
        ("missed", (square(0, 0), square(8, 12))),
    ],
)
def test_empty_masks_of_monai_are_those_of_the_docs(masks, pair):
    metric = HausdorffDistanceMetric(include_background=True, percentile=95)
    metric(*tensors(pair))
    theirs = (
        compute_hausdorff_distance(*tensors(pair), include_background=True, percentile=95),
        metric.aggregate(),
        compute_average_surface_distance(*tensors(pair), include_background=True, symmetric=True),
        compute_surface_dice(*tensors(pair), class_thresholds=[1.0], include_background=True),
    )
    ours = measure_case(*pair, tolerance=1.0)
    values = [*(value.item() for value in theirs), *(ours[name] for name in ("hd95", "assd", "nsd"))]
    assert f"| {masks} | {' | '.join(f'{value:.4g}' for value in values)} |\n" in DOCS


@settings(deadline=None)
@given(left=masks, right=masks, tolerance=st.floats(0, 20))
def test_both_directions_count_alike(left, right, tolerance):
    ours, swapped = SurfaceDistances.of(left, right), SurfaceDistances.of(right, left)
    assert ours.hd95 == swapped.hd95
    assert ours.assd == pytest.approx(swapped.assd)
    assert ours.nsd(tolerance) == swapped.nsd(tolerance)
    assert ours.nsd(0) <= ours.nsd(tolerance) <= ours.nsd(tolerance + 1) <= 1
    assert 0 <= ours.hd95 <= np.hypot(13, 11)


@settings(deadline=None)
@given(left=masks, right=masks, shift=st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_the_place_in_the_image_does_not_matter(left, right, shift):
    placed = []
    for start in ((1, 1), shift):
        wide = np.zeros((2, 22, 20), bool)
        wide[:, start[0] : start[0] + 13, start[1] : start[1] + 11] = left, right
        placed.append(SurfaceDistances.of(*wide))
    assert placed[0].hd95 == placed[1].hd95
    assert placed[0].assd == placed[1].assd


@settings(deadline=None)
@given(left=masks, right=masks)
def test_every_distance_is_the_shortest(left, right):
    ours = SurfaceDistances.of(left, right)
    edges = [np.argwhere(mask & ~_inner(mask)) for mask in (left, right)]
    every = np.linalg.norm(edges[0][:, None] - edges[1][None], axis=2)
    np.testing.assert_allclose(np.sort(ours.to_reference), np.sort(every.min(1)))
    np.testing.assert_allclose(np.sort(ours.to_prediction), np.sort(every.min(0)))
