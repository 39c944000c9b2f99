"""The interval of a mean over folds that counts how much trainings on other cases would change it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llmseg.stats.options import check_fraction


def fold_interval(means: Sequence[float], folds: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the corrected resampled t interval of Nadeau and Bengio for a mean difference in a cross-validation.

    Trainings of different folds share most of their cases, so the means of the folds are not independent, and no
    unbiased estimate of the variance of their mean exists (Bengio and Grandvalet 2004). Nadeau and Bengio (2003)
    enlarge the variance by the ratio of test to training cases, ``1 / (folds - 1)``. That is a rule of thumb. In our
    simulations the interval is wider than it has to be.

    Args:
        means: The mean difference on the test cases of every fold, over all seeds.
        folds: Number of folds; there may be fewer means, where a measure applies to no case of a fold.
        level: Level of the interval.

    Returns:
        Its ends; not-a-number for fewer than two means.

    Raises:
        UserError: The level is not between 0 and 1.

    Example:
        >>> low, high = fold_interval([0.01, 0.03, 0.02, 0.02, 0.02], 5)
        >>> round(low, 4), round(high, 4)
        (0.0068, 0.0332)
    """
    from scipy import stats

    check_fraction("level", level)
    count = len(means)
    if count < 2:
        return math.nan, math.nan
    error = math.sqrt(float(np.var(means, ddof=1)) * (1 / count + 1 / (folds - 1)))
    reach = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    centre = float(np.mean(means))
    return centre - reach, centre + reach
