"""The simulation in small; ``benchmarks/results/simulation.json`` holds it in full."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from llmseg.stats import compare, simulate


@pytest.fixture(scope="module")
def error_rates(module):
    return module("error_rates")


@pytest.mark.parametrize("design", ["7 cases", "25 groups of 4, 3 seeds", "six datasets, one of 7 cases"])
@pytest.mark.parametrize("law", ["normal", "alike"])
def test_intervals_of_differences_hold_the_truth(error_rates, law, design):
    """Of 1000 studies; a true 95 % lies between 92.5 and 97.5 in all but one of 3000 tries."""
    function, truth = error_rates.DIFFERENCES[law]
    sums, sizes = error_rates.draw(function, error_rates.DESIGNS[design], 1000, np.random.default_rng(len(law)))
    low, high = error_rates.estimate(sums, sizes).interval(0.95)
    assert 0.925 <= ((low <= truth) & (truth <= high)).mean() <= 0.98


def test_seven_cases_are_too_few_for_percentiles_but_not_for_the_studentised_bootstrap(error_rates):
    law, truth = error_rates.SCORES["dice 0.85"]
    rates = error_rates.measure_coverage(law, truth, error_rates.DESIGNS["7 cases"], 500, bounded=True)["held"]
    assert rates["percentile"] < 90 < 92 <= rates["bootstrap"] <= 98
    assert rates["bca"] < 91


@pytest.mark.parametrize("law", ["dice 0.90, long tail", "nine in ten are 0", "one in seven is 0"])
def test_the_bounded_interval_holds_where_the_bootstrap_fails(error_rates, law):
    function, truth = error_rates.SCORES[law]
    measured = error_rates.measure_coverage(function, truth, error_rates.DESIGNS["7 cases"], 250, bounded=True)
    assert measured["held"]["bounded"] >= 96 > measured["held"]["bootstrap"]
    assert measured["ends_at_1"]["bounded"] == 0


@pytest.mark.parametrize("family", ["8 LLMs alike, all pairs", "8 LLMs, half of them worse by the margin, all pairs"])
def test_a_family_makes_few_false_claims(error_rates, family):
    """Five per cent of 60 studies are 3; 8 or more would come once in a hundred tries."""
    shifts, pairs = error_rates.FAMILIES[family]
    assert error_rates.count_false_claims(shifts, pairs, 60)["false"] <= 100 * 7 / 60
    assert error_rates.count_false_claims(shifts, pairs, 20, correction="none")["false"] >= 20


def test_true_differences_and_equivalences_are_found(error_rates):
    assert error_rates.measure_power(0.05, 500, 5, 20)["better"] >= 90
    assert error_rates.measure_power(0.0, 7, 3, 20)["equivalent"] <= 10


def test_false_claims_are_recognised(error_rates):
    claim = compare(simulate(pipelines=[0.1, 0.0], cases=100), "llm-01", "llm-02", margin=0.02)
    assert claim.verdict == "better"
    assert not error_rates.is_false(claim, 0.1)
    assert error_rates.is_false(claim, 0.0)
    equivalent = replace(claim, p_equivalence_adjusted=0.001)
    assert equivalent.verdict == "equivalent"
    assert error_rates.is_false(equivalent, 0.02)
    assert not error_rates.is_false(equivalent, 0.019)
    assert error_rates.is_false(claim, -0.02)


def test_relabelling_rarely_finds_what_is_not_there(error_rates):
    assert error_rates.count_cohort_claims(0.0, 40)["better"] <= 12.5


def test_a_whole_study_is_analysed_in_far_less_than_a_minute(error_rates):
    """Few cases here; the results hold the time of all 171,000 rows."""
    times = error_rates.time_whole_study(pipelines=6, cases=30)
    assert times["rows"] == 6 * 6 * 3 * 30
    assert times["total"] < 60


def test_the_page_tables_are_those_of_the_results(module):
    page_tables = module("error_rates_tables")
    results = json.loads(page_tables.RESULTS.read_text(encoding="utf-8"))
    page = (page_tables.RESULTS.parents[2] / "docs" / "explanation" / "statistics.md").read_text(encoding="utf-8")
    for table in page_tables.make_tables(results["simulations"]).values():
        assert table in page


def test_the_results_keep_what_the_page_promises(error_rates):
    """Student's law for differences, studentised resamples for means; families below five per cent."""
    rows = json.loads((error_rates.benchmark.RESULTS / "simulation.json").read_text(encoding="utf-8"))["simulations"]
    differences = [row for row in rows if row["what"] == "coverage of a difference" and row["law"] != "failing"]
    assert all(93.5 <= row["student"] <= 96.5 for row in differences)
    seven = [row for row in rows if row.get("design") == "7 cases"]
    assert all(max(row["percentile"], row["bca"]) < 90 for row in seven)
    means = [row for row in rows if row["what"] == "coverage of a mean"]
    assert all(row["bounded"] >= 94 for row in means)
    zeros = [row for row in means if row["law"] == "nine in ten are 0"]
    assert all(row["ends_at_1"]["bounded"] == 0 for row in zeros)
    families = [row for row in rows if row["what"] == "false claims" and "correction" not in row]
    assert all(row["false"] <= 5 for row in families)
    assert next(row for row in rows if row["what"] == "time")["total"] < 60
