from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from llmseg import UserError
from llmseg.stats import Table, claims_frame, compare, compare_all, simulate
from llmseg.stats.blocks import make_blocks
from llmseg.stats.words import ONE_SEED


def test_single_cases_with_one_seed_give_the_paired_t_test():
    table = simulate(pipelines=[0.02, 0.0], datasets=1, seeds=1, cases=30)
    claim = compare(table, "llm-01", "llm-02", margin=0.05)
    first, second = make_blocks(table)[0].values[:, 0]
    theirs = stats.ttest_rel(first, second)
    interval = theirs.confidence_interval(0.95)
    assert claim.p_difference == pytest.approx(theirs.pvalue)
    assert (claim.low, claim.high) == pytest.approx((interval.low, interval.high))
    tost = max(
        stats.ttest_1samp(first - second, -0.05, alternative="greater").pvalue,
        stats.ttest_1samp(first - second, 0.05, alternative="less").pvalue,
    )
    assert claim.p_equivalence == pytest.approx(tost)


def test_groups_are_the_unit():
    table = simulate(pipelines=[0.02, 0.0], datasets=1, seeds=1, cases=40, group_size=4)
    claim = compare(table, "llm-01", "llm-02")
    (block,) = make_blocks(table)
    groups = (block.sums[0, 0] - block.sums[1, 0]) / block.sizes
    assert claim.units == 10
    assert claim.p_difference == pytest.approx(stats.ttest_1samp(groups, 0).pvalue)


def test_repeating_the_cases_of_groups_is_no_news():
    table = simulate(pipelines=[0.02, 0.0], datasets=1, seeds=2, cases=20)
    again = table.frame.assign(case=table.frame["case"] + " again")
    once, twice = (
        compare(one, "llm-01", "llm-02") for one in (table, Table.from_frame(pd.concat([table.frame, again])))
    )
    assert (twice.low, twice.high, twice.units) == pytest.approx((once.low, once.high, once.units))


def test_dataset_as_the_unit_is_the_t_test_over_datasets():
    table = simulate(pipelines=[0.02, 0.0], datasets=6, cases=[7, 10, 20, 30, 40, 50])
    claim = compare(table, "llm-01", "llm-02", unit="dataset")
    gaps = [block.means[0] - block.means[1] for block in make_blocks(table)]
    assert claim.p_difference == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)
    assert (claim.unit, claim.units) == ("dataset", 6)
    assert "the unit is the dataset, and there are 6" in claim.remarks


def test_seeds_widen_the_interval():
    calm, lucky = (simulate(datasets=1, run_spread=spread, cases=200) for spread in (0.0, 0.05))
    widths = [compare(one, "llm-01", "llm-02") for one in (calm, lucky)]
    assert widths[1].high - widths[1].low > 3 * (widths[0].high - widths[0].low)


def test_the_bootstrap_agrees_with_student_where_cases_are_many():
    table = simulate(pipelines=[0.02, 0.0], datasets=2, cases=200, seeds=1)
    student, bootstrap = (compare(table, "llm-01", "llm-02", method=method) for method in ("student", "bootstrap"))
    assert bootstrap.difference == pytest.approx(student.difference)
    width = student.high - student.low
    assert (bootstrap.low, bootstrap.high) == pytest.approx((student.low, student.high), abs=0.03 * width)


def test_a_large_family_gets_the_draws_it_needs():
    table = simulate(pipelines=[0.2, 0.0, 0.0], datasets=1, seeds=1, cases=40)
    (claim, *_) = compare_all(table, method="bootstrap", draws=10)
    assert claim.verdict == "better"


@pytest.mark.parametrize(
    ("shift", "margin", "verdict"),
    [(0.1, None, "better"), (-0.1, None, "worse"), (0.0, None, "undecided"), (0.0, 0.05, "equivalent")],
)
def test_verdicts_and_their_sentences(shift, margin, verdict):
    table = simulate(pipelines=[shift, 0.0], datasets=2, cases=100, run_spread=0.002)
    claim = compare(table, "llm-01", "llm-02", margin=margin)
    assert claim.verdict == verdict
    assert [word for word in ("better than", "worse than", "equivalent", "undecided") if word in claim.sentence] == [
        f"{verdict} than" if verdict in ("better", "worse") else verdict
    ]


def test_less_is_better_for_distances():
    frame = simulate(pipelines=[0.1, 0.0], datasets=1, cases=100).frame.assign(measure="hd95")
    claim = compare(Table.from_frame(frame), "llm-01", "llm-02", measure="hd95", margin=0.05)
    assert claim.difference > 0
    assert claim.low < claim.difference < claim.high
    assert claim.verdict == "worse"
    assert not claim.noninferior


def test_swapping_the_two_mirrors_the_claim():
    table = simulate(pipelines=[0.03, 0.0])
    one, other = compare(table, "llm-01", "llm-02", margin=0.02), compare(table, "llm-02", "llm-01", margin=0.02)
    assert (other.difference, other.low, other.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert (other.p_difference, other.p_equivalence) == pytest.approx((one.p_difference, one.p_equivalence))
    assert (other.superiority, other.delta) == pytest.approx((1 - one.superiority, -one.delta))


def test_a_family_knows_what_it_is():
    table = simulate(pipelines=[0.1, 0.0, 0.0])
    claims = compare_all(table, "llm-03", each_dataset=True, correction="benjamini-hochberg")
    assert {(one.family_size, one.correction) for one in claims} == {(4, "benjamini-hochberg")}
    assert claims[0].family == "all against llm-03 on each of 2 datasets"
    assert [one.datasets for one in claims] == [("dataset-1",)] * 2 + [("dataset-2",)] * 2
    assert claims_frame(claims)["verdict"].tolist() == [one.verdict for one in claims]


def test_noninferiority_without_equivalence():
    table = simulate(pipelines=[0.03, 0.0], datasets=1, seeds=1, cases=10, group_spread=0.05)
    claim = compare(table, "llm-01", "llm-02", margin=0.03)
    assert claim.noninferior
    assert claim.verdict == "undecided"
    assert "but llm-01 is not worse by 0.03" in claim.sentence
    assert not replace(claim, p_noninferiority_adjusted=None).noninferior


def test_ties_everywhere_decide_nothing_and_say_so():
    frame = simulate(pipelines=2, datasets=1).frame.assign(value=0.5)
    for method in ("student", "bootstrap"):
        claim = compare(Table.from_frame(frame), "llm-01", "llm-02", margin=0.01, method=method)
        assert (claim.verdict, claim.difference, claim.superiority, claim.delta) == ("undecided", 0.0, 0.5, 0.0)
        assert "all differences are equal: their spread is unknown, so nothing is decided" in claim.remarks


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("cases", [5, 10, 13])
def test_one_group_decides_nothing_and_says_so(cases, seeds):
    """Whatever rounding leaves of the difference between the group and the mean of groups."""
    frame = simulate(pipelines=2, datasets=1, seeds=seeds, cases=cases).frame.assign(group="one")
    claim = compare(Table.from_frame(frame), "llm-01", "llm-02", margin=0.01)
    assert claim.verdict == "undecided"
    assert np.isnan(claim.low)
    assert "one unit only: its spread is unknown, so nothing is decided" in claim.remarks


def test_few_groups_and_one_seed_are_remarked():
    claim = compare(simulate(pipelines=2, datasets=2, cases=[7, 50], seeds=1), "llm-01", "llm-02")
    assert claim.remarks == (
        ONE_SEED,
        "few groups on dataset-1 (7): the interval leans on the assumed law",
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "studnet"}, "did you mean 'student'"),
        ({"unit": "case"}, "no unit 'case'"),
        ({"margin": 0.0}, "smallest difference that matters"),
        ({"alpha": 1.5}, "alpha is 1.5"),
        ({"correction": "bonferroni"}, "no correction 'bonferroni'"),
        ({"pairs": "llm-1"}, "did you mean 'llm-01'"),
        ({"pairs": [("llm-01", "llm-01")]}, "compared with itself"),
        ({"pairs": []}, "no pairs"),
        ({"measure": "dcie"}, "did you mean 'dice'"),
        ({"phase": "validation"}, "no phase 'validation'"),
    ],
)
def test_options_that_do_not_exist(options, words):
    with pytest.raises(UserError, match=words):
        compare_all(simulate(pipelines=3), **options)


def test_one_contender():
    with pytest.raises(UserError, match="one contender"):
        compare_all(simulate(pipelines=1))


def test_the_whole_study_is_compared_in_less_than_a_minute():
    """171,000 rows, all pairs; it takes a few seconds."""
    table = Table.from_frame(simulate(pipelines=19, datasets=6, seeds=3, cases=500).frame)
    assert len(table.frame) == 171_000
    started = time.perf_counter()
    claims = compare_all(table, margin=0.01)
    assert time.perf_counter() - started < 60
    assert len({(claim.first, claim.second) for claim in claims}) == len(claims) == 171
