"""The simulation of cross-validations in small; ``benchmarks/results/folds.json`` holds it in full."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "folds.json"


@pytest.fixture
def fold_coverage(module):
    return module("fold_coverage")


def test_the_expected_score_is_that_of_many_cases(fold_coverage):
    scores = np.exp(-np.abs(np.random.default_rng(0).normal(0, 0.7, 200_000)))
    assert fold_coverage._expect_score(0.7) == pytest.approx(scores.mean(), abs=0.002)


def test_intervals_over_cases_are_narrower_than_those_of_folds_and_of_one_fold(fold_coverage):
    row = fold_coverage.measure_coverage(fold_coverage.Setting(20, 5, 1, 6), 60)
    assert row["width"]["cases"] < row["width"]["folds"] < row["width"]["one_fold"]
    assert row["held"]["cases"]["learners"] <= row["held"]["folds"]["learners"]


def test_what_the_docs_say_of_the_results():
    rows = json.loads(RESULTS.read_text())["simulations"]
    assert min(row["held"]["folds"]["learners"] for row in rows) >= 95
    worst = min(rows, key=lambda row: row["held"]["cases"]["learners"])
    assert (worst["cases"], worst["seeds"], worst["features"]) == (20, 1, 6)
    assert 87 < worst["held"]["cases"]["learners"] < 90
