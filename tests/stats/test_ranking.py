from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from llmseg import UserError
from llmseg.stats import Table, rank, significance_map, simulate
from llmseg.stats.blocks import make_blocks
from llmseg.stats.ranking_rules import Rule

RULES = get_args(Rule)


@pytest.mark.parametrize("rule", RULES)
def test_clear_differences_are_ranked_alike_by_every_rule(rule):
    found = rank(simulate(pipelines=[0.0, 0.1, 0.05, -0.1], cases=60), rule=rule, resamples=50)
    assert found.frame["contender"].tolist() == ["llm-02", "llm-03", "llm-01", "llm-04"]
    assert found.frame["rank"].tolist() == [1, 2, 3, 4]
    assert found.frame["first"].tolist() == [1, 0, 0, 0]
    assert found.pairwise_tau == pytest.approx(1)
    assert "llm-02 is first, and stays so on 100 % of 50 resamples" in found.sentence


def test_two_rules_by_hand():
    """One contender is best on average, another on most cases."""
    values = {"a": [0.9, 0.8, 0.1], "b": [0.8, 0.7, 0.7]}
    rows = [(name, str(case), value) for name, row in values.items() for case, value in enumerate(row)]
    frame = pd.DataFrame(rows, columns=["pipeline", "case", "value"]).assign(dataset="d", measure="dice")
    table = Table.from_frame(frame.assign(group=frame["case"]), fill={"variant": "base", "seed": 0, "phase": "test"})
    means, ranks = (rank(table, rule=rule, resamples=10).frame for rule in RULES[:2])
    assert means["contender"].tolist() == ["b", "a"]
    assert means["score"].tolist() == pytest.approx([2.2 / 3, 0.6])
    assert ranks["contender"].tolist() == ["a", "b"]
    assert ranks["score"].tolist() == pytest.approx([-4 / 3, -5 / 3])


def test_less_is_better_for_distances():
    frame = simulate(pipelines=[0.1, 0.0]).frame.assign(measure="hd95")
    found = rank(Table.from_frame(frame), measure="hd95", resamples=10)
    assert found.frame["contender"].tolist() == ["llm-02", "llm-01"]
    assert found.frame["score"].is_monotonic_increasing


def test_equal_contenders_share_first_place_by_chance():
    found = rank(simulate(pipelines=4, seeds=1, cases=200), resamples=400)
    assert 0.9 <= found.frame["first"].sum() <= 1.1
    assert found.pairwise_tau < 0.9
    assert found.taus.shape == (400,)


def test_seven_cases_leave_a_ranking_loose_and_say_so():
    shifts = [0.0, 0.01, 0.02, 0.03]
    few, many = (rank(simulate(pipelines=shifts, datasets=1, cases=n, run_spread=0.0), resamples=200) for n in (7, 500))
    assert few.pairwise_tau < many.pairwise_tau
    assert few.remarks == ("few groups on dataset-1 (7): resamples of them are alike",)
    assert many.remarks == ()


def test_ties_everywhere_share_the_first_rank():
    for rule in RULES:
        found = rank(Table.from_frame(simulate(pipelines=3).frame.assign(value=0.5)), rule=rule, resamples=10)
        assert found.frame["rank"].tolist() == [1, 1, 1]


def test_the_significance_map_is_mirrored():
    square = significance_map(simulate(pipelines=[0.0, 0.1, 0.1]))
    assert square.index[-1] == "llm-01"
    assert square.loc["llm-02", "llm-01"] == "better"
    assert square.loc["llm-01", "llm-02"] == "worse"
    assert square.loc["llm-02", "llm-03"] == square.loc["llm-03", "llm-02"] == "undecided"


def test_rankings_that_cannot_be_made():
    with pytest.raises(UserError, match="did you mean 'mean-then-rank'"):
        rank(simulate(), rule="mean-than-rank")
    with pytest.raises(UserError, match="one contender"):
        rank(simulate(pipelines=1))


def test_the_ranked_means_are_those_of_the_blocks():
    table = simulate(datasets=2, cases=[7, 30], pipeline_spread=0.1)
    means = np.mean([block.means for block in make_blocks(table)], axis=0)
    assert rank(table, resamples=5).frame["score"].tolist() == pytest.approx(sorted(means, reverse=True))
