"""Many tests at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from llmseg.errors import UserError, nearest

Correction = Literal["holm", "benjamini-hochberg", "none"]
CORRECTIONS = ("holm", "benjamini-hochberg", "none")


def adjust(p: Sequence[float] | np.ndarray, correction: Correction = "holm") -> np.ndarray:
    """Return p values corrected for all tests of a family.

    Args:
        p: The p values of the family, all of them.
        correction: ``holm`` keeps the chance of a single false claim below the level, whatever depends on what;
            ``benjamini-hochberg`` keeps the share of false claims among the claims below it, where tests are
            independent or positively dependent; ``none`` leaves them.

    Returns:
        float ``[N]``, in the order given.

    Raises:
        UserError: There is no such correction, or a p is not between 0 and 1.

    Example:
        >>> adjust([0.01, 0.04, 0.03]).round(3)
        array([0.03, 0.06, 0.06])
        >>> adjust([0.01, 0.04, 0.03], "benjamini-hochberg").round(3)
        array([0.03, 0.04, 0.04])
    """
    values = np.asarray(p, float)
    if correction not in CORRECTIONS:
        raise UserError(
            f"no correction '{correction}'{nearest(correction, CORRECTIONS)}; there are {', '.join(CORRECTIONS)}"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise UserError("a p value is not between 0 and 1; give those of the whole family, without gaps")
    if correction == "none" or not len(values):
        return values
    order = np.argsort(values, kind="stable")
    number = len(values)
    if correction == "holm":
        raised = np.maximum.accumulate(values[order] * np.arange(number, 0, -1))
    else:
        raised = np.minimum.accumulate((values[order] * number / np.arange(1, number + 1))[::-1])[::-1]
    adjusted = np.empty(number)
    adjusted[order] = np.minimum(raised, 1)
    return adjusted
