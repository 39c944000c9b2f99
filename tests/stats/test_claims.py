"""What may be said of two contenders, and how."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from llmseg.stats import DECISIONS, Table, compare, compare_all, simulate
from llmseg.stats.claims import MIRRORED, Decision, correct_claims


def test_the_numbers_of_the_sentence_are_those_of_the_record():
    claim, *_ = compare_all(simulate(pipelines=[0.03, 0.0, 0.0]), margin=0.01)
    difference, level, low, high, p = re.search(
        r"difference (\S+), (\S+) % interval (\S+) to (\S+), p [=<] (\S+)", claim.sentence
    ).groups()
    assert (float(difference), float(low), float(high)) == pytest.approx(
        (claim.difference, claim.low, claim.high), abs=5e-5
    )
    assert float(level) == 95
    assert float(p) == pytest.approx(max(claim.p_difference_adjusted, 1e-4), rel=0.01)
    assert f"{claim.units} groups, 3 seeds on dataset-1, dataset-2." in claim.sentence
    assert "after Holm over 3 comparisons (all pairs on all datasets together)" in claim.sentence


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    claims = compare_all(simulate(pipelines=[0.03, 0.02, 0.0, 0.0]))
    theirs = multipletests([one.p_difference for one in claims], method="holm")[1]
    assert [one.p_difference_adjusted for one in claims] == pytest.approx(list(theirs))


def test_a_comparison_can_be_claimed_in_two_ways_and_pays_for_both():
    """Alone, a difference keeps its p value, and that of equivalence is doubled."""
    claim = compare(simulate(pipelines=[0.01, 0.0], cases=20), "llm-01", "llm-02", margin=0.02)
    assert claim.p_difference_adjusted == pytest.approx(claim.p_difference)
    assert claim.p_equivalence_adjusted == pytest.approx(min(1, 2 * claim.p_equivalence))


@pytest.fixture
def make_pair():
    """A function that returns 600 scores each of two contenders, which differ by so much, with a spread of 0.01."""

    def make(difference):
        spread = np.random.default_rng(0).uniform(0, 0.03, (2, 600))
        values = np.concatenate([spread[0] + difference, spread[1]])
        cases = [f"{case}" for case in range(600)] * 2
        rows = {"pipeline": ["a"] * 600 + ["b"] * 600, "case": cases, "group": cases, "value": values}
        fill = {"dataset": "d", "variant": "base", "seed": 0, "phase": "test", "measure": "dice"}
        return Table.from_frame(pd.DataFrame(rows), fill=fill)

    return make


@pytest.mark.parametrize("correction", ["holm", "benjamini-hochberg", "none"])
@pytest.mark.parametrize("difference", [0.02, 0.2, 0.9])
def test_contenders_that_differ_by_more_than_the_margin_are_not_equivalent(make_pair, difference, correction):
    """However far: p values of the two larger ones are smaller than what a float can hold."""
    claim = compare(make_pair(difference), "a", "b", margin=0.01, correction=correction)
    assert claim.verdict == "better"
    assert claim.p_equivalence_adjusted == 1
    assert (claim.p_difference == 0) == (difference > 0.1)


@pytest.mark.parametrize("p", [0.0, 5e-324, 1e-310, 1e-300, 1e-12])
def test_no_correction_takes_a_p_value_down(p):
    claims = compare_all(simulate(pipelines=[0.03, 0.0, 0.0]), margin=0.01)
    corrected = correct_claims([replace(claims[0], p_difference=p), *claims[1:]], "holm", 0.05, "a family")
    assert corrected[0].p_difference_adjusted <= 3 * p
    for claim in corrected:
        assert claim.p_difference_adjusted >= claim.p_difference
        assert claim.p_equivalence_adjusted >= claim.p_equivalence


def test_correcting_again_with_more_comparisons_starts_from_the_uncorrected_p_values():
    claims = compare_all(simulate(pipelines=[0.03, 0.0, 0.0]))
    again = correct_claims(claims, "holm", 0.05, claims[0].family)
    assert again == claims
    (alone,) = correct_claims(claims[:1], "none", 0.05, "one of them")
    assert alone.p_difference_adjusted == pytest.approx(claims[0].p_difference)
    assert (alone.family, alone.family_size) == ("one of them", 1)


def test_every_decision_has_its_mirror():
    assert get_args(Decision) == DECISIONS
    assert {MIRRORED[MIRRORED[decision]] for decision in DECISIONS} == set(DECISIONS)
