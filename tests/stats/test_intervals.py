from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg import UserError
from llmseg.stats.intervals import mean_interval


def frame(values, groups=None, seeds=0):
    return pd.DataFrame({"group": range(len(values)) if groups is None else groups, "seed": seeds, "value": values})


@pytest.mark.parametrize("size", [2, 7, 60])
def test_single_cases_give_the_interval_of_scipy(size):
    values = np.random.default_rng(0).gamma(1.0, 0.2, size)
    found = mean_interval(frame(values))
    assert found.mean == pytest.approx(values.mean())
    theirs = stats.t.interval(0.95, size - 1, values.mean(), stats.sem(values))
    assert [found.low, found.high] == pytest.approx(list(theirs))


def test_the_bootstrap_follows_the_tail():
    values = 1 - np.random.default_rng(1).gamma(0.5, 0.2, 30)
    found = mean_interval(frame(values), law="bootstrap")
    assert found.mean - found.low > 1.2 * (found.high - found.mean)


def test_one_group_has_no_interval():
    found = mean_interval(frame([0.1, 0.2], groups=["a", "a"]))
    assert found.mean == pytest.approx(0.15)
    assert np.isnan([found.low, found.high]).all()


def test_cases_of_a_group_are_no_news():
    values = np.random.default_rng(2).normal(0, 1, 20)
    single = mean_interval(frame(values))
    repeated = mean_interval(frame(values.repeat(10), groups=np.arange(20).repeat(10)))
    assert [repeated.low, repeated.high] == pytest.approx([single.low, single.high])
    assert (repeated.groups, repeated.seeds) == (20, 1)


def test_seeds_widen_the_interval():
    values = np.random.default_rng(3).normal(0, 0.1, 50)
    shifted = pd.concat([frame(values + shift, seeds=seed) for seed, shift in enumerate((-0.5, 0, 0.5))])
    one, three = mean_interval(frame(values)), mean_interval(shifted)
    assert three.high - three.low > 5 * (one.high - one.low)
    assert three.seeds == 3


def test_coverage_where_groups_matter():
    """Of 300 simulated studies, some 95 % of intervals hold the truth; those that ignore groups would miss it often."""
    random = np.random.default_rng(4)
    hits = 0
    for _ in range(300):
        groups = np.arange(7).repeat(5)
        values = random.normal(0, 1, 7).repeat(5) + random.normal(0, 0.3, 35)
        found = mean_interval(frame(values, groups))
        hits += found.low <= 0 <= found.high
    assert 0.92 <= hits / 300 <= 0.98


@settings(deadline=None, max_examples=20)
@given(
    values=st.lists(st.floats(-1, 1), min_size=2, max_size=30),
    level=st.floats(0.5, 0.99),
    shift=st.floats(-1, 1),
)
def test_shifts(values, level, shift):
    found = mean_interval(frame(values), level=level)
    assert found.low <= found.mean <= found.high
    moved = mean_interval(frame([value + shift for value in values]), level=level)
    assert [moved.low, moved.mean, moved.high] == pytest.approx(
        [found.low + shift, found.mean + shift, found.high + shift], abs=1e-6
    )


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([], {}, "no values to average"),
        ([0.1, float("nan")], {}, "1 of 2 values are no numbers"),
        ([0.1], {"level": 1.0}, "level is 1.0"),
    ],
)
def test_what_cannot_be_averaged_is_refused(values, options, words):
    with pytest.raises(UserError, match=words):
        mean_interval(frame(values), **options)


def test_seeds_with_other_cases_are_refused():
    with pytest.raises(UserError, match="seeds have different cases"):
        mean_interval(frame([0.1, 0.2, 0.3], groups=["a", "b", "a"], seeds=[0, 0, 1]))
