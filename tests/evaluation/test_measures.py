from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.metrics import ConfusionMatrixMetric, DiceMetric, MeanIoU
from sklearn.metrics import confusion_matrix

from llmseg import UserError
from llmseg.evaluation.measures import MEASURES, Counts, measure_case
from llmseg.evaluation.surface import SurfaceDistances

masks = arrays(bool, (7, 9))
DIAGONAL = math.hypot(48, 40)


def test_every_measure_is_there_in_order(every_pair):
    for pair in every_pair:
        assert tuple(measure_case(*pair, tolerance=1.0)) == MEASURES


def test_overlaps_are_those_of_monai(pair):
    ours = measure_case(*pair, tolerance=1.0)
    prediction, reference = (torch.from_numpy(mask)[None, None].float() for mask in pair)
    assert ours["dice"] == pytest.approx(DiceMetric()(prediction, reference).item(), rel=1e-6)
    assert ours["iou"] == pytest.approx(MeanIoU()(prediction, reference).item(), rel=1e-6)
    for ourname, name in (("precision", "precision"), ("recall", "sensitivity"), ("specificity", "specificity")):
        metric = ConfusionMatrixMetric(metric_name=name, reduction="mean")
        metric(prediction, reference)
        negatives = pair[1].size - pair[1].sum()
        if name != "specificity" or negatives:
            assert ours[ourname] == pytest.approx(metric.aggregate()[0].item(), rel=1e-6)


def test_distances_are_measured_wherever_neither_mask_is_empty(pair):
    ours, expected = measure_case(*pair, tolerance=2.0), SurfaceDistances.of(*pair)
    assert (ours["hd95"], ours["assd"], ours["nsd"]) == (expected.hd95, expected.assd, expected.nsd(2.0))


@settings(deadline=None)
@given(prediction=masks, reference=masks)
def test_counts_are_those_of_scikit_learn(prediction, reference):
    tn, fp, fn, tp = confusion_matrix(reference.ravel(), prediction.ravel(), labels=[False, True]).ravel()
    assert Counts.of(prediction, reference) == Counts(tp, fp, fn, tn)


@settings(deadline=None)
@given(prediction=masks, reference=masks)
def test_ranges_and_relations(prediction, reference):
    ours = measure_case(prediction, reference, tolerance=1.0)
    for name in ("dice", "iou", "precision", "recall", "specificity", "nsd"):
        assert 0 <= ours[name] <= 1
    assert ours["dice"] == pytest.approx(2 * ours["iou"] / (1 + ours["iou"]))
    assert 0 <= ours["assd"] <= math.hypot(7, 9)
    assert 0 <= ours["hd95"] <= math.hypot(7, 9)
    assert (ours["dice"] == 1) == bool((prediction == reference).all())
    assert math.isnan(ours["false_positive_area"]) == bool(reference.any())
    swapped = measure_case(reference, prediction, tolerance=1.0)
    for name in ("dice", "iou", "hd95", "assd", "nsd"):
        assert ours[name] == pytest.approx(swapped[name])
    assert ours["precision"] == swapped["recall"]


@settings(deadline=None)
@given(prediction=masks, reference=masks)
def test_a_distance_of_zero_is_an_equal_boundary(prediction, reference):
    ours = measure_case(prediction, reference, tolerance=0.0)
    assert (ours["assd"] == 0) == (ours["nsd"] == 1)
    assert (ours["hd95"] == 0) or ours["assd"] > 0


@settings(deadline=None)
@given(reference=masks.filter(np.any), prediction=masks, place=st.integers(0, 62))
def test_one_more_right_pixel_is_never_worse(reference, prediction, place):
    better = prediction.copy()
    better.flat[place] = reference.flat[place]
    before, after = (measure_case(mask, reference, tolerance=1.0) for mask in (prediction, better))
    assert after["dice"] >= before["dice"]
    assert after["iou"] >= before["iou"]


OVERLAPS = ("dice", "iou", "precision", "recall", "nsd")


@pytest.mark.parametrize(
    ("kinds", "overlap", "distance", "area"),
    [
        (("empty", "empty"), 1.0, 0.0, 0.0),
        (("empty", "some"), 0.0, DIAGONAL, None),
        (("some", "empty"), 0.0, DIAGONAL, 100 / 1920),
        (("all", "empty"), 0.0, DIAGONAL, 1.0),
    ],
)
def test_empty_masks(kinds, overlap, distance, area):
    made = {"empty": np.zeros((48, 40), bool), "all": np.ones((48, 40), bool), "some": np.zeros((48, 40), bool)}
    made["some"][5:15, 5:15] = True
    ours = measure_case(*(made[kind] for kind in kinds), tolerance=1.0)
    assert {ours[name] for name in OVERLAPS} == {overlap}
    assert ours["hd95"] == ours["assd"] == distance
    assert math.isnan(ours["false_positive_area"]) if area is None else ours["false_positive_area"] == area


def test_no_negative_pixel_is_no_mistake():
    full = np.ones((4, 4), bool)
    assert measure_case(full, full, tolerance=1.0)["specificity"] == 1


@pytest.mark.parametrize(
    "pair",
    [
        (np.zeros((3, 4), bool), np.zeros((4, 3), bool)),
        (np.zeros((1, 3, 4), bool), np.zeros((1, 3, 4), bool)),
        (np.zeros((3, 4), np.uint8), np.zeros((3, 4), bool)),
        (np.zeros((3, 4), np.uint8), np.zeros((3, 4), np.uint8)),
    ],
)
def test_what_is_no_pair_of_masks_is_refused(pair):
    with pytest.raises(UserError, match="both must be bool of one height and width"):
        measure_case(*pair, tolerance=1.0)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_masks_without_pixels_are_refused(shape):
    with pytest.raises(UserError, match="have no pixels; leave this case out"):
        measure_case(np.zeros(shape, bool), np.zeros(shape, bool), tolerance=1.0)


@pytest.mark.parametrize("tolerance", [-1.0, math.nan])
def test_a_tolerance_that_is_no_distance_is_refused(tolerance):
    full = np.ones((4, 4), bool)
    with pytest.raises(UserError, match="must be 0 or more"):
        measure_case(full, full, tolerance=tolerance)
