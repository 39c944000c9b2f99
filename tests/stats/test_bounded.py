"""The interval of a mean of scores between 0 and 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg import UserError
from llmseg.stats import bounded_interval


def ends(values, sizes=None, **options):
    """Return the interval of one contender's scores, float ``[S, G]`` or ``[G]``."""
    scores = np.atleast_2d(np.asarray(values, float))
    sizes = np.ones(scores.shape[1]) if sizes is None else np.asarray(sizes, float)
    low, high = bounded_interval([scores[None] * sizes], [sizes], **options)
    return float(low[0]), float(high[0])


@pytest.mark.parametrize(("zeros", "ones"), [(7, 0), (6, 1), (3, 4), (0, 20)])
def test_zeros_and_ones_give_the_interval_of_clopper_and_pearson(zeros, ones):
    """Of scores that are 0 or 1, Gaffke's bound is the exact interval of a share."""
    exact = stats.binomtest(ones, zeros + ones).proportion_ci(0.95, method="exact")
    assert ends([0] * zeros + [1] * ones) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_the_lower_end_is_the_quantile_of_weighted_scores():
    """By integration for two scores: weights of two cases and a further one are uniform on a triangle."""
    low, _ = ends([0.5, 1.0], draws=200_000)
    # The share of the triangle below low: w1/2 + w2 <= low, an area of two parts for low <= 1/2.
    assert 2 * low**2 == pytest.approx(0.025, abs=0.002)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_turning_scores_over_turns_the_interval_over(values):
    low, high = ends(values)
    turned_low, turned_high = ends(1 - np.asarray(values))
    assert 0 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 1
    assert (1 - turned_high, 1 - turned_low) == pytest.approx((low, high), abs=1e-6)


def test_a_higher_level_is_wider_and_more_cases_are_narrower():
    values = np.random.default_rng(0).beta(8, 2, 10)
    widths = [np.ptp(ends(values, level=level)) for level in (0.8, 0.95, 0.99)]
    assert widths == sorted(widths)
    assert np.ptp(ends(np.tile(values, 20))) < 0.5 * widths[1]


def test_many_cases_give_the_interval_of_student():
    values = np.random.default_rng(1).beta(4, 2, 5000)
    theirs = stats.t.interval(0.95, 4999, values.mean(), stats.sem(values))
    assert ends(values) == pytest.approx(theirs, abs=0.001)


def test_cases_of_a_group_are_no_news():
    values = np.random.default_rng(2).beta(4, 2, 9)
    assert ends(values, sizes=[30] * 9) == pytest.approx(ends(values))


def test_seeds_that_differ_widen_the_interval():
    values = np.random.default_rng(3).beta(20, 20, 200)
    alike, differing = (ends([values + shift, values, values - shift]) for shift in (0.0, 0.1))
    assert alike == pytest.approx(ends(values))
    # Student's law with two degrees of freedom: 4.3 standard errors of 0.1 / sqrt(3).
    assert np.ptp(differing) / 2 == pytest.approx(4.3 * 0.1 / 3**0.5, rel=0.1)


def test_datasets_are_combined_by_squares():
    random = np.random.default_rng(4)
    first, second = random.beta(20, 20, 50), random.beta(20, 20, 50)
    low, high = bounded_interval([first[None, None], second[None, None]], [np.ones(50)] * 2)
    (low_1, _), (low_2, _) = ends(first), ends(second)
    mean = (first.mean() + second.mean()) / 2
    expected = mean - np.hypot(first.mean() - low_1, second.mean() - low_2) / 2
    assert low[0] == pytest.approx(expected, abs=0.002)
    assert high[0] > mean


def test_blocks_of_draws_give_the_interval_of_all_at_once(monkeypatch):
    values = np.random.default_rng(5).beta(4, 2, 30)
    whole = ends(values)
    monkeypatch.setattr("llmseg.stats.bounded._BLOCK", 1000)
    assert ends(values) == whole


def test_groups_of_uneven_size_are_held():
    """Of 300 studies with seven groups of 1 to 20 cases; an exact 95 % would lie above 92.5 in 98 of 100 tries."""
    random, held = np.random.default_rng(6), 0
    for _ in range(300):
        low, high = ends(random.beta(5, 1, 7), sizes=random.integers(1, 21, 7), draws=1000)
        held += low <= 5 / 6 <= high
    assert held / 300 >= 0.925


def test_one_group_has_no_interval():
    assert np.isnan(ends([0.5])).all()


def test_scores_of_another_range_are_refused():
    with pytest.raises(UserError, match=r"a score of 12\.5 is not between 0 and 1; use the method bootstrap"):
        ends([0.5, 12.5])
    with pytest.raises(UserError, match="level is 2"):
        ends([0.5, 0.6], level=2)
