"""The measures of a case, by one set of rules for everybody."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from llmseg.errors import UserError
from llmseg.evaluation.surface import SurfaceDistances

EVALUATOR_VERSION = 1
"""Raised whenever the same masks would get another value."""

MEASURES = (
    "dice",
    "iou",
    "precision",
    "recall",
    "specificity",
    "hd95",
    "assd",
    "nsd",
    "false_positive_area",
)
"""The measures, in the order in which they are written."""


@dataclass(frozen=True)
class Counts:
    """Pixels of a case by agreement.

    Attributes:
        tp: Foreground in both.
        fp: Foreground in the prediction only.
        fn: Foreground in the reference only.
        tn: Foreground in neither.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @classmethod
    def of(cls, prediction: np.ndarray, reference: np.ndarray) -> Counts:
        """Count two masks.

        Args:
            prediction: bool ``[H, W]``.
            reference: bool ``[H, W]``.

        Raises:
            UserError: They are no masks of one size, or have no pixels.

        Example:
            >>> Counts.of(np.array([[True, True]]), np.array([[True, False]]))
            Counts(tp=1, fp=1, fn=0, tn=0)
        """
        kinds = {prediction.dtype, reference.dtype}
        if prediction.shape != reference.shape or prediction.ndim != 2 or kinds != {np.dtype(bool)}:
            raise UserError(
                f"masks are {prediction.dtype} {prediction.shape} and {reference.dtype} {reference.shape}; "
                "both must be bool of one height and width"
            )
        if not prediction.size:
            raise UserError(f"masks of {prediction.shape} have no pixels; leave this case out")
        tp = int(np.count_nonzero(prediction & reference))
        fp = int(np.count_nonzero(prediction)) - tp
        fn = int(np.count_nonzero(reference)) - tp
        return cls(tp, fp, fn, prediction.size - tp - fp - fn)


def measure_case(prediction: np.ndarray, reference: np.ndarray, *, tolerance: float) -> dict[str, float]:
    """Return every measure of :data:`MEASURES` for a case.

    Empty masks have rules, so that no case is dropped. Both empty: a perfect case, overlaps and NSD 1, distances 0. One
    empty: overlaps and NSD 0, distances the image's diagonal, the largest there can be. Specificity without a negative
    pixel is 1. ``false_positive_area`` is the share of the image that is predicted where the reference is empty, and
    not-a-number elsewhere: it does not apply.

    Args:
        prediction: bool ``[H, W]``.
        reference: bool ``[H, W]``.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.

    Returns:
        Overlaps, NSD and area in 0..1; ``hd95`` and ``assd`` in pixels.

    Raises:
        UserError: The masks are not of one size or have no pixels, or the tolerance is negative or not a number.

    Example:
        >>> empty = np.zeros((3, 4), bool)
        >>> scores = measure_case(~empty, empty, tolerance=1.0)
        >>> scores["dice"], scores["hd95"], scores["false_positive_area"]
        (0.0, 5.0, 1.0)
    """
    if not tolerance >= 0:
        raise UserError(f"a tolerance of {tolerance} pixels: must be 0 or more")
    counts = Counts.of(prediction, reference)
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    empty = tp + fp + fn == 0
    distances = _distances(prediction, reference, tolerance, empty=empty, apart=tp + fp == 0 or tp + fn == 0)
    return {
        "dice": _share(2 * tp, 2 * tp + fp + fn, empty),
        "iou": _share(tp, tp + fp + fn, empty),
        "precision": _share(tp, tp + fp, empty),
        "recall": _share(tp, tp + fn, empty),
        "specificity": _share(tn, tn + fp, nothing=True),
        **distances,
        "false_positive_area": fp / prediction.size if tp + fn == 0 else math.nan,
    }


def _share(part: int, whole: int, nothing: bool) -> float:
    """Return a quotient; of nothing, 1 or 0."""
    return part / whole if whole else float(nothing)


def _distances(
    prediction: np.ndarray, reference: np.ndarray, tolerance: float, *, empty: bool, apart: bool
) -> dict[str, float]:
    if empty:
        return {"hd95": 0.0, "assd": 0.0, "nsd": 1.0}
    if apart:
        diagonal = math.hypot(*prediction.shape)
        return {"hd95": diagonal, "assd": diagonal, "nsd": 0.0}
    found = SurfaceDistances.of(prediction, reference)
    return {"hd95": found.hd95, "assd": found.assd, "nsd": found.nsd(tolerance)}
