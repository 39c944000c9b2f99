"""Best, worst and hardest cases, found again by sorting."""

from __future__ import annotations

import pytest

from llmseg.report.cases import extreme_cases, hardest_cases
from llmseg.stats import Table, simulate


@pytest.fixture(scope="module")
def table():
    return simulate(pipelines=[0.0, 0.1], datasets=2, seeds=2, cases=9)


def test_worst_and_best_are_the_ends_of_the_sorted_cases_each_by_its_own_training(table):
    for contender, by_dataset in extreme_cases(table, "dice", 3).items():
        for dataset, (worst, best) in by_dataset.items():
            frame = table.select(pipeline=contender, dataset=dataset).frame
            scores = frame.groupby("case")["value"]
            assert [score.value for score in worst] == sorted(scores.min())[:3]
            # A case that is among the worst is not shown among the best, whatever its other training did.
            others = scores.max().drop([score.case for score in worst])
            assert [score.value for score in best] == sorted(others, reverse=True)[:3]


def test_of_few_cases_none_is_in_both_lists(table):
    few = table.select(case=["case-01", "case-02", "case-03"])
    worst, best = extreme_cases(few, "dice", 3)["llm-01"]["dataset-1"]
    assert {score.case for score in worst} | {score.case for score in best} == {"case-01", "case-02", "case-03"}
    assert (len(worst), len(best)) == (2, 1)


def test_for_distances_the_largest_is_the_worst(table):
    distances = Table(table.frame.assign(measure="hd95"))
    worst, best = extreme_cases(distances, "hd95", 2)["llm-01"]["dataset-1"]
    assert worst[0].value > worst[1].value > best[1].value > best[0].value


def test_the_hardest_cases_have_the_smallest_means_and_name_who_did_best(table):
    frame = table.frame.query("dataset == 'dataset-2'")
    means = frame.groupby("case")["value"].mean().sort_values()
    hard = hardest_cases(table, "dice", 4)["dataset-2"]
    assert [case.case for case in hard] == means.index[:4].tolist()
    assert [case.mean for case in hard] == pytest.approx(means.iloc[:4].tolist())
    for case in hard:
        by_contender = frame[frame["case"] == case.case].groupby("pipeline")["value"].mean()
        assert (case.best, case.best_value) == (by_contender.idxmax(), pytest.approx(by_contender.max()))
