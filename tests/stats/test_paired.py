from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llmseg import UserError
from llmseg.stats import Table, permutation_test, simulate, wilcoxon_test
from llmseg.stats.blocks import make_blocks


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("cases", [7, 40])
def test_wilcoxon_is_that_of_scipy(alternative, cases):
    table = simulate(pipelines=[0.02, 0.0], datasets=1, seeds=2, cases=cases)
    first, second = make_blocks(table)[0].values.mean(axis=1)
    found = wilcoxon_test(table, "llm-01", "llm-02", alternative=alternative)
    assert found.p == stats.wilcoxon(first - second, alternative=alternative).pvalue
    assert (found.units, found.law) == (cases, "exact")


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_permutation_is_that_of_scipy(alternative):
    table = simulate(pipelines=[0.04, 0.0], datasets=1, seeds=2, cases=8)
    first, second = make_blocks(table)[0].values.mean(axis=1)
    theirs = stats.permutation_test(
        (first, second), lambda a, b: np.mean(a - b), permutation_type="samples", alternative=alternative
    )
    found = permutation_test(table, "llm-01", "llm-02", alternative=alternative)
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue)
    assert "8 groups" in found.sentence


def test_sampled_signs_come_near_to_all_signs(monkeypatch):
    table = simulate(pipelines=[0.03, 0.0], datasets=2, seeds=2, cases=8)
    exact = permutation_test(table, "llm-01", "llm-02")
    monkeypatch.setattr("llmseg.stats.paired.MOST_UNITS", 0)
    sampled = permutation_test(table, "llm-01", "llm-02", draws=20_000)
    assert exact.law == "exact"
    assert sampled.law == "sampled, 20000 draws"
    assert sampled.p == pytest.approx(exact.p, abs=0.015)


def test_ties_in_paired_tests():
    table = Table.from_frame(simulate(pipelines=2, datasets=1).frame.assign(value=0.5))
    for test in (wilcoxon_test, permutation_test):
        found = test(table, "llm-01", "llm-02")
        assert found.p == 1
        assert "all differences are zero: nothing can be said" in found.remarks


def test_paired_tests_that_cannot_be_made():
    table = simulate(pipelines=2, datasets=2)
    with pytest.raises(UserError, match="do not mix"):
        wilcoxon_test(table, "llm-01", "llm-02")
    with pytest.raises(UserError, match="did you mean 'greater'"):
        permutation_test(table, "llm-01", "llm-02", alternative="grater")
