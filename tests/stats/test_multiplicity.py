from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from llmseg import UserError
from llmseg.stats import adjust

PS = st.lists(st.floats(0, 1), min_size=1, max_size=10)


@settings(max_examples=15, deadline=None)
@given(p=PS)
def test_corrections_are_those_of_statsmodels(p):
    assert adjust(p, "holm") == pytest.approx(multipletests(p, method="holm")[1])
    assert adjust(p, "benjamini-hochberg") == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert adjust(p, "none") == pytest.approx(p)


def test_p_values_out_of_range():
    for wrong in ([1.2], [np.nan]):
        with pytest.raises(UserError, match="not between 0 and 1"):
            adjust(wrong)
    assert len(adjust([])) == 0
