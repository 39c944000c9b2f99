from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg import UserError
from llmseg.stats.bootstrap import mean_interval


def frame(values, groups=None, seeds=0):
    return pd.DataFrame({"group": range(len(values)) if groups is None else groups, "seed": seeds, "value": values})


def test_single_cases_give_the_interval_of_the_normal_law():
    values = np.random.default_rng(0).normal(0.3, 0.1, 400)
    found = mean_interval(frame(values))
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found.mean == pytest.approx(values.mean())
    assert [found.low, found.high] == pytest.approx([low, high], abs=0.001)


def test_the_percentiles_are_those_of_scipy():
    values = np.random.default_rng(1).gamma(1.0, 0.2, 60)
    found = mean_interval(frame(values), draws=20000)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20000, random_state=0)
    assert [found.low, found.high] == pytest.approx(list(theirs.confidence_interval), abs=0.003)


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
        groups = np.arange(40).repeat(5)
        values = random.normal(0, 1, 40).repeat(5) + random.normal(0, 0.3, 200)
        found = mean_interval(frame(values, groups), draws=600)
        hits += found.low <= 0 <= found.high
    assert 0.90 <= hits / 300 <= 0.98


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.floats(-1, 1), min_size=1, max_size=30),
    level=st.floats(0.5, 0.99),
    shift=st.floats(-1, 1),
)
def test_ranges_and_shifts(values, level, shift):
    found = mean_interval(frame(values), level=level, draws=300)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    moved = mean_interval(frame([value + shift for value in values]), level=level, draws=300)
    assert [moved.low, moved.mean, moved.high] == pytest.approx(
        [found.low + shift, found.mean + shift, found.high + shift]
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
