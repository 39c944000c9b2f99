"""Ranks that challengeR publishes as expected in its own tests (wiesenfa/challengeR, ``tests/testthat``)."""

from __future__ import annotations

import pandas as pd
import pytest

from llmseg.stats import Table, rank

# What is better, scores of A1 and A2 by case, and per rule what challengeR expects: its score and its rank of both.
PUBLISHED = {
    "one case, small is better": ("hd95", [0.6], [0.8], {"mean-then-rank": ([0.6, 0.8], [1, 2])}),
    "one case, large is better": ("dice", [0.6], [0.8], {"mean-then-rank": ([0.6, 0.8], [2, 1])}),
    "two cases": (
        "hd95",
        [0.6, 0.4],
        [0.8, 1.0],
        {"mean-then-rank": ([0.5, 0.9], [1, 2]), "rank-then-mean": ([1, 2], [1, 2])},
    ),
    "a tie": ("hd95", [0.6], [0.6], {"mean-then-rank": ([0.6, 0.6], [1, 1])}),
    "four cases, small is better": ("hd95", [0.2] * 4, [1.0] * 4, {"test-based": ([1, 0], [1, 2])}),
    "four cases, large is better": ("dice", [0.2] * 4, [1.0] * 4, {"test-based": ([0, 1], [2, 1])}),
    "two cases decide nothing": ("hd95", [0.6] * 2, [0.8] * 2, {"test-based": ([0, 0], [1, 1])}),
}
CASES = [(name, rule) for name, (*_, expected) in PUBLISHED.items() for rule in expected]


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_ranks(name, rule):
    measure, first, second, expected = PUBLISHED[name]
    rows = [
        {"pipeline": algorithm, "case": f"C{place}", "group": f"C{place}", "value": value}
        for algorithm, values in (("A1", first), ("A2", second))
        for place, value in enumerate(values)
    ]
    fill = {"variant": "base", "dataset": "T1", "seed": 0, "phase": "test", "measure": measure}
    found = rank(Table.from_frame(pd.DataFrame(rows), fill=fill), measure=measure, rule=rule, resamples=10)
    frame = found.frame.set_index("contender").loc[["A1", "A2"]]
    scores, ranks = expected[rule]
    assert frame["rank"].tolist() == ranks
    assert [abs(score) for score in frame["score"]] == pytest.approx(scores)
