"""The columns of a table, and what is known of measures."""

from __future__ import annotations

BASE = "base"
"""The variant that is the pipeline as it is."""

NAMES = ("pipeline", "variant", "dataset", "phase", "case", "group", "measure")
"""The columns that hold names."""

COLUMNS = ("pipeline", "variant", "dataset", "seed", "phase", "case", "group", "measure", "value")
"""The columns of a table, in their order."""

KEY = [name for name in COLUMNS if name not in ("group", "value")]
"""What tells one row from another."""

SHARES = ("dice", "iou", "precision", "recall", "specificity", "nsd", "false_positive_area")
"""Measures that lie between 0 and 1."""

MARGIN = 0.01
"""The margin of measures between 0 and 1, such as Dice, where none is given."""

DISTANCES = ("hd95", "assd")
"""Measures that are not negative, and better when smaller."""

MEASURE_NAMES = {"dice": "Dice", "iou": "IoU", "hd95": "HD95", "assd": "ASSD", "nsd": "NSD"}
"""What readers call measures whose column has another spelling."""

UNDEFINED = ("false_positive_area",)
"""Measures that do not apply to every case: they have no value (NaN) where the true mask has foreground."""


def sign(measure: str) -> float:
    """Return 1.0 for a measure of which more is better, and -1.0 where less is better.

    Example:
        >>> sign("dice"), sign("hd95")
        (1.0, -1.0)
    """
    return -1.0 if measure in (*DISTANCES, "false_positive_area") else 1.0
