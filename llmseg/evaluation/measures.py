"""The measures of a case: Dice, IoU, precision and so on, computed by one set of rules for everybody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmseg.errors import UserError, nearest
from llmseg.evaluation.surface import SurfaceDistances

EVALUATOR_VERSION = 1
"""To be raised whenever the same masks would get another value; every row of scores has it."""

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
"""Names of the measures, in the order in which they are written."""


def check_measures(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of measures, the primary one first.

    Raises:
        UserError: There is none, one is no measure, or one stands twice.

    Example:
        >>> check_measures(["dice", "hd95"])
        ('dice', 'hd95')
    """
    if not names:
        raise UserError(f"no measure is named; there are {', '.join(MEASURES)}")
    for name in names:
        if name not in MEASURES:
            raise UserError(f"no measure '{name}'{nearest(name, MEASURES)}; there are {', '.join(MEASURES)}")
        if list(names).count(name) > 1:
            raise UserError(f"the measure {name} is named twice; name each once, the primary one first")
    return tuple(names)


@dataclass(frozen=True)
class Counts:
    """How many pixels of a case prediction and reference agree or disagree on.

    Attributes:
        tp: True positives: foreground in both.
        fp: False positives: foreground in the prediction only.
        fn: False negatives: foreground in the reference only.
        tn: True negatives: foreground in neither.
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
            UserError: The masks are not bool, not of one size, or have no pixels.

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

    Empty masks have rules, so that no case is dropped:

    - If both masks are empty, the case is perfect: overlaps and NSD are 1, distances 0.
    - If one is empty, overlaps and NSD are 0, and distances are the diagonal of the image, the largest there can be.
    - Specificity is 1 if there is no negative pixel.
    - ``false_positive_area`` is the share of the image that is predicted although the reference is empty. If the
      reference is not empty, it does not apply and is not-a-number.

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
    both_empty = tp + fp + fn == 0
    one_empty = tp + fp == 0 or tp + fn == 0
    return {
        "dice": _divide(2 * tp, 2 * tp + fp + fn, of_nothing=both_empty),
        "iou": _divide(tp, tp + fp + fn, of_nothing=both_empty),
        "precision": _divide(tp, tp + fp, of_nothing=both_empty),
        "recall": _divide(tp, tp + fn, of_nothing=both_empty),
        "specificity": _divide(tn, tn + fp, of_nothing=True),
        **_measure_distances(prediction, reference, tolerance, both_empty=both_empty, one_empty=one_empty),
        "false_positive_area": fp / prediction.size if tp + fn == 0 else math.nan,
    }


def _divide(part: int, whole: int, *, of_nothing: bool) -> float:
    """Return the share of a part in a whole; where there is nothing to divide, 1 or 0 as ``of_nothing`` says."""
    return part / whole if whole else float(of_nothing)


def _measure_distances(
    prediction: np.ndarray, reference: np.ndarray, tolerance: float, *, both_empty: bool, one_empty: bool
) -> dict[str, float]:
    if both_empty:
        return {"hd95": 0.0, "assd": 0.0, "nsd": 1.0}
    if one_empty:
        diagonal = math.hypot(*prediction.shape)
        return {"hd95": diagonal, "assd": diagonal, "nsd": 0.0}
    distances = SurfaceDistances.of(prediction, reference)
    return {"hd95": distances.hd95, "assd": distances.assd, "nsd": distances.nsd(tolerance)}
