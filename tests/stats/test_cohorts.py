from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llmseg import UserError
from llmseg.stats import Table, compare_cohorts, simulate
from llmseg.stats.blocks import make_blocks


def cohort(sizes=(4, 5), gap=0.0, **options):
    table = simulate(pipelines=[gap] * sizes[0] + [0.0] * sizes[1], pipeline_spread=0.03, **options)
    return table, {name: "new" if index < sizes[0] else "old" for index, name in enumerate(table.contenders)}


@pytest.mark.parametrize("side", ["low", "high"])
def test_the_interval_of_cohorts_ends_where_the_test_turns(side):
    """A shift of the first cohort just inside the interval is undecided, one just outside is not."""
    table, labels = cohort((6, 7), gap=0.05)
    (claim,) = compare_cohorts(table, labels, "new", "old")
    inwards = 1e-9 if side == "low" else -1e-9
    for step, decided in ((inwards, False), (-inwards, True)):
        frame = table.frame.copy()
        frame.loc[frame["pipeline"].map(labels) == "new", "value"] -= getattr(claim, side) + step
        (moved,) = compare_cohorts(Table(frame), labels, "new", "old")
        assert (moved.verdict != "undecided") == decided


def test_too_few_llms_can_decide_nothing():
    table, labels = cohort((2, 2), gap=0.2)
    (claim,) = compare_cohorts(table, labels, "new", "old")
    assert claim.verdict == "undecided"
    assert (claim.low, claim.high) == (-np.inf, np.inf)
    assert ", no 95 % interval from so few LLMs, p " in claim.sentence
    assert "inf" not in claim.sentence
    assert any("smallest p" in remark for remark in claim.remarks)


def test_cohorts_per_dataset_are_a_family():
    table, labels = cohort(gap=0.2, datasets=3)
    claims = compare_cohorts(table, labels, "new", "old", each_dataset=True, margin=0.01)
    assert [claim.family_size for claim in claims] == [3, 3, 3]
    assert [claim.datasets for claim in claims] == [("dataset-1",), ("dataset-2",), ("dataset-3",)]
    with pytest.raises(UserError, match="did you mean 'new'"):
        compare_cohorts(table, labels, "mew", "old")
    labels.pop("llm-01")
    assert "1 contenders are of neither cohort" in " ".join(compare_cohorts(table, labels, "new", "old")[0].remarks)


def test_sampled_relabelling(monkeypatch):
    table, labels = cohort(gap=0.03)
    (exact,) = compare_cohorts(table, labels, "new", "old")
    monkeypatch.setattr("llmseg.stats.cohorts.MOST_RELABELLINGS", 0)
    (sampled,) = compare_cohorts(table, labels, "new", "old", draws=20_000)
    assert sampled.p_difference == pytest.approx(exact.p_difference, abs=0.02)
    assert "sampled, 20000 relabellings" in sampled.method


def test_relabelling_is_the_permutation_test_of_scipy():
    table, labels = cohort(gap=0.03)
    (claim,) = compare_cohorts(table, labels, "new", "old")
    values = np.mean([block.means for block in make_blocks(table)], axis=0)
    for alternative in ("greater", "less"):
        theirs = stats.permutation_test(
            (values[:4], values[4:]), lambda a, b: a.mean() - b.mean(), alternative=alternative, n_resamples=np.inf
        )
        assert claim.difference == pytest.approx(theirs.statistic)
        if alternative == ("greater" if claim.difference > 0 else "less"):
            assert claim.p_difference == pytest.approx(min(1, 2 * theirs.pvalue))
    assert "exact, 126 relabellings" in claim.method
    assert claim.units == 9
