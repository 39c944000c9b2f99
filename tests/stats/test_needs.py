from __future__ import annotations

import re

import pytest
from scipy import stats

from llmseg.stats import Table, compare_all, plan, simulate, variance_atlas
from llmseg.stats.needs import state_needs


def needs(margin=0.01, measure="dice", **options):
    table = simulate(**{"datasets": 1, "cases": 30, **options})
    return table, state_needs(table, compare_all(table, measure=measure, margin=margin))


@pytest.mark.parametrize("gains", [[0.0, 0.0, 0.2], [0.0, 0.1, 0.2], [0.0, 0.0, 0.0], [0.1, 0.1]])
def test_pairs_are_counted_by_what_is_said_of_them(gains):
    table, text = needs(pipelines=gains, seeds=3)
    verdicts = [claim.verdict for claim in compare_all(table, margin=0.01)]
    undecided = verdicts.count("undecided")
    if len(verdicts) == 1:
        assert text.startswith("The one pair is " + ("undecided" if undecided else "decided"))
    else:
        assert text.startswith(f"Of {len(verdicts)} pairs, {len(verdicts) - undecided} ")
        assert (f"; {undecided} " in text) == bool(undecided)
    assert ("To tell apart" in text) == bool(undecided)


def test_the_need_is_that_of_the_textbook_for_two_means():
    """One seed: the variance of a case is all that counts, and the formula is that of two paired means."""
    table, text = needs(pipelines=[0.0, 0.0], seeds=1)
    atlas = variance_atlas(table)
    quantiles = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    expected = 2 * atlas.variance("LLM x group") * (quantiles / 0.01) ** 2
    told = float(re.search(r"takes at least ([\d,]+) cases", text)[1].replace(",", ""))
    assert expected <= told <= 1.1 * expected + 1
    assert "one seed does not tell" in text
    found = float(re.search(r"apart what differs by ([\d.]+)\.$", text)[1])
    assert found == pytest.approx(quantiles * (2 * atlas.variance("LLM x group") / 30) ** 0.5, rel=0.05)


def test_seeds_are_told_beside_cases_after_the_same_correction():
    table, text = needs(pipelines=[0.0, 0.0, 0.0], seeds=3, run_spread=0.002)
    planned = plan(variance_atlas(table), 0.01, generations=[1], seeds=[3, 5, 10], alpha=0.05 / 3)["groups"]
    told = [float(text.replace(",", "")) for text in re.findall(r"([\d,]+) (?:cases )?with \d+ seeds", text)]
    assert len(told) == 3
    assert all(count <= shown <= 1.1 * count + 1 for count, shown in zip(planned, told, strict=True))
    assert "There are 30 cases and 3 seeds" in text


def test_where_trainings_differ_no_number_of_cases_is_enough():
    _, text = needs(pipelines=4, seeds=2, run_spread=0.05)
    assert "it would take more than 10 seeds, however many cases there are" in text


def test_groups_and_datasets_have_their_names():
    table = simulate(pipelines=[0.0, 0.0], datasets=2, seeds=3, cases=24)
    number = table.frame["case"].str[-2:].astype(int)
    grouped = Table(table.frame.assign(group=(number // 3).astype(str)))
    text = state_needs(grouped, compare_all(grouped, margin=0.01))
    assert "groups of cases on each dataset" in text


def test_enough_cases_for_the_margin_say_so():
    _, text = needs(margin=0.041, pipelines=[0.0, 0.01], seeds=3)
    assert text.startswith("The one pair is undecided. There are 30 cases and 3 seeds, enough")
    assert "apart what differs by 0.041; what is undecided probably lies closer together" in text


def test_what_cannot_be_planned_is_told():
    table = simulate(pipelines=[0.0, 0.0], datasets=1, cases=10)
    assert state_needs(table, compare_all(table)).endswith("give a margin.")
    together = Table(table.frame.assign(group="one"))
    assert state_needs(together, compare_all(together, margin=0.01)).endswith("told from one group of cases.")
    assert state_needs(table, ()) == ""
