"""Estimates and their errors, by plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg import UserError
from llmseg.stats import bca_interval, estimate


def test_the_studentised_bootstrap_by_hand():
    """The matrix products equal a plain loop over resamples."""
    random = np.random.default_rng(0)
    sums, sizes = random.normal(1, 0.2, (2, 1, 6)), np.array([1.0, 2, 3, 1, 2, 1])
    estimates = estimate([sums], [sizes], draws=50, seed=3)
    weights = np.random.default_rng(3).multinomial(6, np.full(6, 1 / 6), 50)
    for draw in (0, 7, 49):
        chosen = np.repeat(np.arange(6), weights[draw])
        drawn = estimate([sums[:, :, chosen]], [sizes[chosen]])
        assert estimates.pivots[draw] == pytest.approx((drawn.means - estimates.means) / drawn.errors)


def test_symmetric_pivots_have_the_law_of_their_size():
    sums, sizes = np.random.default_rng(0).gamma(1, 0.2, (1, 1, 12)), np.ones(12)
    skewed, symmetric = (estimate([sums], [sizes], draws=200, symmetric=choice) for choice in (False, True))
    assert sorted(symmetric.pivots[:, 0]) == sorted([*np.abs(skewed.pivots[:, 0]), *-np.abs(skewed.pivots[:, 0])])
    (low,), (high,) = symmetric.interval(0.9)
    assert high - symmetric.means[0] == pytest.approx(symmetric.means[0] - low)


def test_no_p_value_of_a_bootstrap_is_zero():
    estimates = estimate([np.linspace(0.9, 1, 20)[None, None]], [np.ones(20)], draws=99)
    assert estimates.above(-1e6).tolist() == [1 / 100]
    assert estimates.below(-1e6).tolist() == [1]


def test_bca_needs_values():
    with pytest.raises(UserError, match="two or more values"):
        bca_interval(np.array([0.5]))
    assert bca_interval(np.full(5, 0.5)) == (0.5, 0.5)
