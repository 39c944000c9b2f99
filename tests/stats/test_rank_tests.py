from __future__ import annotations

import numpy as np
import pytest
import scikit_posthocs
from scipy import stats

from llmseg import UserError
from llmseg.stats import Table, friedman, simulate
from llmseg.stats.blocks import make_blocks


def test_friedman_and_nemenyi_are_those_of_scipy_and_scikit_posthocs():
    table = simulate(pipelines=[0.1, 0.05, 0.0, 0.0], datasets=6, cases=10)
    found = friedman(table)
    scores = np.stack([block.means for block in make_blocks(table)])
    theirs = stats.friedmanchisquare(*scores.T)
    assert (found.statistic, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    np.testing.assert_allclose(found.pairs, scikit_posthocs.posthoc_nemenyi_friedman(scores))
    assert found.ranks == pytest.approx(stats.rankdata(-scores, axis=1).mean(axis=0))


def test_six_datasets_cannot_decide_between_nineteen():
    found = friedman(simulate(pipelines=19, datasets=6, cases=5, seeds=1))
    assert not found.decidable
    assert (found.smallest_p, found.datasets_needed) == (0.03125, 13)
    assert found.critical_difference == pytest.approx(11.4, abs=0.1)
    assert any("6 datasets cannot decide" in remark for remark in found.remarks)
    assert "cannot decide a pair" in found.sentence
    with pytest.raises(UserError, match="needs three and two"):
        friedman(simulate(pipelines=2))
    tied = Table.from_frame(simulate(pipelines=3).frame.assign(value=0.5))
    assert friedman(tied).p == 1
