"""p values of many tests, corrected for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from llmseg.errors import UserError
from llmseg.stats.options import check_choice

Correction = Literal["holm", "benjamini-hochberg", "none"]


def adjust(p: Sequence[float] | np.ndarray, correction: Correction = "holm") -> np.ndarray:
    """Return p values corrected for all tests of a family.

    Args:
        p: The p values of the family, all of them.
        correction: ``holm`` keeps the chance of any false claim below the level, however the tests depend on each
            other. ``benjamini-hochberg`` keeps the share of false claims among all claims below it, where tests are
            independent or positively dependent. ``none`` leaves the p values as they are.

    Returns:
        float ``[N]``, in the order given.

    Raises:
        UserError: There is no such correction, or a p value is not between 0 and 1.

    Example:
        >>> adjust([0.01, 0.04, 0.03]).round(3)
        array([0.03, 0.06, 0.06])
        >>> adjust([0.01, 0.04, 0.03], "benjamini-hochberg").round(3)
        array([0.03, 0.04, 0.04])
    """
    values = np.asarray(p, float)
    check_choice("correction", correction, get_args(Correction))
    if not ((values >= 0) & (values <= 1)).all():
        raise UserError("a p value is not between 0 and 1; give those of the whole family, without gaps")
    if correction == "none" or not len(values):
        return values
    order = np.argsort(values, kind="stable")
    count = len(values)
    # Written out rather than taken from statsmodels: test-based rankings call this for every one of thousands of
    # resamples, where the overhead counts. The tests compare the two.
    if correction == "holm":
        raised = np.maximum.accumulate(values[order] * np.arange(count, 0, -1))
    else:
        raised = np.minimum.accumulate((values[order] * count / np.arange(1, count + 1))[::-1])[::-1]
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(raised, 1)
    return adjusted
