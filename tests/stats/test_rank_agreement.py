from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmseg import UserError
from llmseg.stats import convention_stability
from llmseg.stats.rank_agreement import kendall


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_kendall_is_that_of_scipy(pairs):
    first, second = np.array(pairs, float).T
    theirs = stats.kendalltau(first, second).statistic
    assert kendall(first[None], second[None])[0] == pytest.approx(0 if np.isnan(theirs) else theirs)


def test_conventions_that_turn_a_ranking():
    scores = pd.DataFrame({"contender": list("abc") * 2, "convention": ["x"] * 3 + ["y"] * 3})
    taus = convention_stability(scores.assign(value=[0.9, 0.8, 0.7, 0.9, 0.7, 0.8]))
    assert taus.loc["x", "y"] == pytest.approx(1 / 3)
    assert taus.loc["x", "x"] == 1
    with pytest.raises(UserError, match="no value under one"):
        convention_stability(scores.iloc[:5].assign(value=0.5))
    with pytest.raises(UserError, match="two values"):
        convention_stability(pd.concat([scores, scores]).assign(value=0.5))
    with pytest.raises(UserError, match="no column 'value'"):
        convention_stability(scores)
