"""Draws in parts: the same numbers, in less memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from llmseg.stats import compare_all, draws, rank, simulate
from llmseg.stats.paired import permutation_test
from llmseg.stats.rank_agreement import kendall
from llmseg.stats.resampling import bca_interval, estimate


def _rank_by(rule):
    ranking = rank(simulate(pipelines=3, cases=150), rule=rule, resamples=200)
    return ranking.frame["score"].to_numpy(), ranking.resampled, ranking.taus


def _test_signs():
    table = simulate(pipelines=2, datasets=1, cases=150)
    return permutation_test(table, *table.contenders, draws=1000).p


def _estimate(count, seeds=2):
    random = np.random.default_rng(1)
    sums = [random.random((3, seeds, groups)) for groups in (count, count // 2)]
    return estimate(sums, [np.ones(s.shape[2]) for s in sums], draws=1000).pivots


@pytest.mark.parametrize(
    "compute",
    [
        lambda: _rank_by("mean-then-rank"),
        lambda: _rank_by("rank-then-mean"),
        lambda: _rank_by("test-based"),
        lambda: compare_all(simulate(pipelines=14, cases=30)),
        lambda: compare_all(simulate(pipelines=14, datasets=8, seeds=1, cases=30), unit="dataset"),
        _test_signs,
        lambda: bca_interval(np.random.default_rng(2).random(150), draws=1000),
        lambda: kendall(*np.random.default_rng(3).integers(1, 5, (2, 300, 9))),
    ],
    ids=[
        "mean-then-rank",
        "rank-then-mean",
        "test-based",
        "pairs",
        "datasets",
        "signs",
        "bca",
        "kendall",
    ],
)
def test_parts_give_the_same_bits_as_the_whole(compute, monkeypatch):
    whole = compute()
    monkeypatch.setattr(draws, "MOST_NUMBERS", 2000)
    np.testing.assert_equal(compute(), whole)


@pytest.mark.parametrize("seeds", [1, 2])
def test_parts_give_the_same_estimates_as_the_whole(seeds, monkeypatch):
    """Products of matrices of another height may be summed in another order, as on other numbers of threads."""
    whole = _estimate(300, seeds)
    monkeypatch.setattr(draws, "MOST_NUMBERS", 2000)
    np.testing.assert_allclose(_estimate(300, seeds), whole, rtol=1e-9, atol=1e-12)


def test_memory_does_not_grow_with_draws_times_groups(monkeypatch):
    monkeypatch.setattr(draws, "MOST_NUMBERS", 2**15)
    tracemalloc.start()
    _estimate(2000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All weights at once are 1,000 x 2,000 whole numbers and as many real ones, 32 MB.
    assert peak < 8e6
