from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from llmseg import UserError
from llmseg.stats import fold_interval


def test_the_variance_is_enlarged_by_test_over_training_cases():
    means = np.array([0.02, -0.01, 0.05, 0.03, 0.0])
    low, high = fold_interval(means.tolist(), 5, level=0.9)
    # Nadeau and Bengio 2003: variance times 1 / k + (n / k) / (n - n / k).
    error = means.std(ddof=1) * math.sqrt(1 / 5 + (1 / 5) / (4 / 5))
    assert (low + high) / 2 == pytest.approx(means.mean())
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.95, 4) * error)


def test_it_is_wider_than_an_interval_that_takes_folds_as_independent():
    means = [0.02, -0.01, 0.05, 0.03, 0.0]
    low, high = fold_interval(means, 5)
    alone = stats.t.interval(0.95, 4, np.mean(means), stats.sem(means))
    assert low < alone[0] < alone[1] < high


def test_a_measure_that_applies_in_one_fold_only():
    assert all(map(math.isnan, fold_interval([0.1], 5)))
    with pytest.raises(UserError, match="level"):
        fold_interval([0.1, 0.2], 5, level=1.0)
