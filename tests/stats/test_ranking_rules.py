from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg.stats.ranking_rules import signed_ranks


@settings(max_examples=40, deadline=None)
@given(
    differences=st.lists(st.integers(-4, 4), min_size=3, max_size=12),
    weights=st.lists(st.integers(0, 3), min_size=12, max_size=12),
)
def test_signed_ranks_are_those_of_scipy(differences, weights):
    repeated = np.repeat(differences, weights[: len(differences)])
    assume(repeated.any())
    theirs = stats.wilcoxon(
        repeated, method="asymptotic", zero_method="wilcox", correction=False, alternative="greater"
    )
    ours = signed_ranks(np.array(differences, float), np.array([weights[: len(differences)]], float))
    assert stats.norm.sf(ours[0]) == pytest.approx(theirs.pvalue, rel=1e-4)


def test_signed_ranks_of_nothing_but_zeros_say_nothing():
    assert signed_ranks(np.zeros(4), np.ones((2, 4))).tolist() == [0, 0]
