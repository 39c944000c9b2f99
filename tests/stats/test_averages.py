"""Means of single contenders."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from llmseg import UserError
from llmseg.stats import Table, means, simulate
from llmseg.stats.blocks import make_blocks
from llmseg.study.pairing import average_scores


@pytest.mark.parametrize("method", ["student", "bootstrap", "bca"])
def test_intervals_of_means(method):
    table = simulate(pipelines=2, datasets=1, seeds=1, cases=80)
    frame = means(table, method=method)
    (block,) = make_blocks(table)
    low, high = stats.t.interval(0.95, 79, block.values[0, 0].mean(), stats.sem(block.values[0, 0]))
    row = frame.iloc[0]
    assert row["mean"] == pytest.approx(block.values[0, 0].mean())
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.002 if method != "student" else 1e-9)


def test_means_end_where_the_measure_ends():
    scores = simulate(pipelines=1, datasets=1, cases=4, seeds=1).frame.assign(value=[1.0, 1.0, 0.2, 1.0])
    frame = means(Table.from_frame(scores))
    assert 0 <= frame["low"][0] <= frame["high"][0] <= 1


def test_no_distance_is_negative():
    frame = simulate(pipelines=1, datasets=1, cases=3, seeds=1).frame.assign(measure="hd95", value=[1.0, 2.0, 90.0])
    (low,) = means(Table.from_frame(frame), measure="hd95", method="student")["low"]
    assert low == 0
    wide = pd.DataFrame({"base": [1.0, 2.0, 90.0]})
    wide.index = pd.MultiIndex.from_tuples([(c, c, 0) for c in "abc"], names=["case", "group", "seed"])
    assert (average_scores(wide, "hd95", 0.95)["low"] >= 0).all()


def test_over_all_datasets_each_has_the_same_weight():
    table = simulate(pipelines=2, datasets=2, cases=[5, 50], seeds=1)
    (overall,) = means(table, each_dataset=False).query("contender == 'llm-01'")["mean"]
    assert overall == pytest.approx(means(table).query("contender == 'llm-01'")["mean"].mean())


def test_the_advice_for_a_measure_without_end_is_followed():
    table = Table.from_frame(
        simulate(pipelines=2, cases=20).frame.assign(measure="hd95", value=lambda frame: 9 * frame["value"])
    )
    with pytest.raises(UserError, match="use the method bootstrap"):
        means(table, measure="hd95", method="bounded")
    assert (means(table, measure="hd95", method="bootstrap")["high"] > 1).all()
    assert set(means(table, measure="hd95")["method"]) == {"bootstrap"}


def test_methods_that_cannot_answer_are_refused():
    with pytest.raises(UserError, match="one dataset at a time"):
        means(simulate(), method="bca", each_dataset=False)
    with pytest.raises(UserError, match="no method 'studnet'; did you mean 'student'"):
        means(simulate(), method="studnet")
