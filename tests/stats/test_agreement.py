from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg import UserError
from llmseg.stats import compute_agreement


@settings(max_examples=25, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_both_coefficients_are_those_of_scipy(pairs):
    first, second = np.array(pairs, float).T
    for name, theirs in (("kendall", stats.kendalltau), ("spearman", stats.spearmanr)):
        found = compute_agreement(first, second, name, draws=50)
        if min(np.ptp(first), np.ptp(second)) == 0:
            assert np.isnan(found.value)
            assert (found.low, found.high, found.is_shown) == (-1, 1, False)
        else:
            assert found.value == pytest.approx(theirs(first, second).statistic)
            assert -1 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_that_zero_is_excluded_agrees_with_the_exact_test_of_scipy(count):
    """The interval excludes 0 where the exact p value of independence is below 5 %, and only there."""
    random = np.random.default_rng(count)
    for _ in range(12):
        order = random.permutation(count)
        p = stats.kendalltau(np.arange(count), order, method="exact").pvalue
        if not 0.04 < p < 0.06:  # nearer to the limit, the simulation may err
            assert compute_agreement(np.arange(count), order).is_shown == (p < 0.05)


def test_few_pipelines_in_the_same_order_show_nothing_and_many_do():
    few, many = (compute_agreement(np.arange(count), np.arange(count)) for count in (4, 19))
    assert (few.value, few.high, few.is_shown) == (1, 1, False)
    assert few.low < 0
    assert many.low > 0.9
    # Of two, an order is equal or reversed by the toss of a coin: P(equal) = (1 + tau) / 2.
    assert compute_agreement(np.arange(2), np.arange(2)).low == pytest.approx(-0.95, abs=0.02)


def test_ties_widen_the_interval_and_are_counted():
    first = np.arange(12)
    clear, tied = (compute_agreement(first, second) for second in (first, np.repeat([0, 1], 6)))
    assert (clear.tied, tied.tied) == (0, 12)
    assert tied.high - tied.low > clear.high - clear.low
    # Sums that differ in their last bit are ties.
    assert compute_agreement(first[:3], np.array([0.1 + 0.2, 0.3, 0.5])).tied == 2


def test_the_same_input_gives_the_same_interval():
    first, second = np.arange(8), np.array([1, 0, 3, 2, 5, 4, 7, 6])
    assert compute_agreement(first, second) == compute_agreement(first, second)


@pytest.mark.parametrize(
    ("first", "second", "options", "words"),
    [
        ([1, 2], [1, 2, 3], {}, "of 2 and 3 contenders; give the same contenders"),
        ([1], [1], {}, "1 contenders have no order"),
        ([1, np.nan], [1, 2], {}, "leave that contender out of both"),
        ([1, 2], [1, 2], {"coefficient": "kendal"}, "did you mean 'kendall'"),
        ([1, 2], [1, 2], {"level": 95}, "level is 95"),
    ],
)
def test_what_has_no_agreement_is_refused(first, second, options, words):
    with pytest.raises(UserError, match=words):
        compute_agreement(np.array(first), np.array(second), **options)


TAU = {"normal": 2 / np.pi * np.arcsin(0.6), "clayton": 0.5}
"""Kendall's tau of two laws: of the bivariate normal with correlation 0.6, and of Clayton's with parameter 2."""


@pytest.mark.slow
@pytest.mark.parametrize("count", [4, 8, 19])
@pytest.mark.parametrize("law", TAU)
def test_intervals_hold_the_truth_also_under_a_law_that_is_not_normal(law, count):
    """Of 150 intervals, a share of 87 % would be more than three standard errors below 95 %."""
    random = np.random.default_rng(3)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        if law == "normal":
            x, y = random.standard_normal((2, count))
            return x, 0.6 * x + 0.8 * y
        u, w = random.random((2, count))
        return u, (u**-2.0 * (w ** (-2 / 3) - 1) + 1) ** -0.5

    intervals = [compute_agreement(*draw(), draws=200) for _ in range(150)]
    assert np.mean([found.low <= TAU[law] <= found.high for found in intervals]) > 0.87
