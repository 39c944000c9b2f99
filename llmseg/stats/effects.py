"""Effect sizes: how large a difference is, whatever the unit of the measure."""

from __future__ import annotations

import numpy as np

from llmseg.errors import UserError


def superiority(first: np.ndarray, second: np.ndarray, *, paired: bool = False) -> float:
    """Return the probability that a value of the first is larger than one of the second; ties count half.

    Args:
        first: Values of the first, float ``[N]``.
        second: Values of the second, float ``[M]``; with ``paired``, as many as of the first and in the same order.
        paired: Compare each value with its partner only, instead of all with all.

    Returns:
        A probability, between 0 and 1; 0.5 where neither has the larger values.

    Raises:
        UserError: There are no values, a value is not a number, or the pairs do not match.

    Example:
        >>> superiority(np.array([0.8, 0.9]), np.array([0.7, 0.8]))
        0.875
        >>> superiority(np.array([0.8, 0.9]), np.array([0.7, 0.95]), paired=True)
        0.5
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if not len(first) or not len(second) or not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise UserError(f"{len(first)} and {len(second)} values cannot be compared; give numbers on both sides")
    if paired:
        if len(first) != len(second):
            raise UserError(f"{len(first)} and {len(second)} values are no pairs; give one of each per case")
        return float((np.sign(first - second).mean() + 1) / 2)
    # Of the second, count what is smaller and what is not larger; their mean counts ties half, without N * M pairs.
    ordered = np.sort(second)
    below, not_above = np.searchsorted(ordered, first, "left"), np.searchsorted(ordered, first, "right")
    return float((below + not_above).mean() / 2 / len(second))


def cliffs_delta(first: np.ndarray, second: np.ndarray) -> float:
    """Return Cliff's delta: how much more often the first is larger than the second than the reverse, from -1 to 1.

    Args:
        first: Values of the first, float ``[N]``.
        second: Values of the second, float ``[M]``.

    Raises:
        UserError: There are no values, or a value is not a number.

    Example:
        >>> cliffs_delta(np.array([0.8, 0.9]), np.array([0.7, 0.8]))
        0.75
    """
    return 2 * superiority(first, second) - 1
