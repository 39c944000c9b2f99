from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg import UserError
from llmseg.stats import cliffs_delta, superiority


@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    second=st.lists(st.integers(0, 5), min_size=1, max_size=12),
)
def test_superiority_is_u_over_the_pairs(first, second):
    u = stats.mannwhitneyu(first, second).statistic
    assert superiority(np.array(first), np.array(second)) == pytest.approx(u / len(first) / len(second))
    signs = [np.sign(a - b) for a, b in itertools.product(first, second)]
    assert cliffs_delta(np.array(first), np.array(second)) == pytest.approx(np.mean(signs))


def test_superiority_needs_values():
    with pytest.raises(UserError, match="no pairs"):
        superiority(np.ones(2), np.ones(3), paired=True)
    with pytest.raises(UserError, match="cannot be compared"):
        superiority(np.array([]), np.ones(3))
    with pytest.raises(UserError, match="cannot be compared"):
        superiority(np.array([np.nan]), np.ones(3))
