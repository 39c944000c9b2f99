"""The verdict: the first sentence of a report and of ``llmseg compare``."""

from __future__ import annotations

import pandas as pd
import pytest

from llmseg.stats import (
    Table,
    compare_all,
    friedman,
    mixed_model,
    permutation_test,
    rank,
    simulate,
    wilcoxon_test,
)
from llmseg.stats.verdict import state_verdict
from llmseg.stats.words import ONE_SEED


def verdict(table: Table, margin: float | None = None) -> str:
    order = rank(table, resamples=2).frame["contender"]
    return state_verdict([*order], compare_all(table, margin=margin))


def constant(*means: float, seeds: int = 3, cases: int = 12) -> Table:
    rows = [
        {"pipeline": f"p{number}", "variant": "base", "dataset": "A", "seed": seed, "phase": "test", "case": str(case)}
        | {"group": str(case), "measure": "dice", "value": mean}
        for number, mean in enumerate(means)
        for seed in range(seeds)
        for case in range(cases)
    ]
    return Table.from_frame(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("shifts", "beginning"),
    [
        ([0.0, 0.0], "No difference between llm-0"),
        ([0.0, 0.0, 0.0], "No difference among the 3 contenders is established in dice"),
        ([0.0, 0.2, 0.2], "No difference among the first 2 is established in dice: llm-0"),
        ([0.0, 0.2], "llm-02 is better than llm-01 in dice."),
        ([0.0, 0.4, 0.2], "llm-02 is better than each of the 2 others in dice, after correction for 3 comparisons."),
    ],
)
def test_what_is_established_stands_first(shifts, beginning):
    assert verdict(simulate(pipelines=shifts, cases=60)).startswith(beginning)


def test_equivalent_contenders_are_called_so():
    table = simulate(pipelines=[0.0, 0.0], cases=400, run_spread=0.0, seeds=3)
    assert verdict(table, margin=0.05).endswith("are equivalent in dice, within 0.05.")


def test_without_claims_the_reason_is_told():
    assert state_verdict(["a"], (), "one contender can be compared") == (
        "No difference is established: one contender can be compared."
    )


@pytest.mark.parametrize("shifts", [[0.0, 0.3], [0.0, 0.0]])
def test_one_seed_is_said_in_verdict_and_claim(shifts):
    table = simulate(pipelines=shifts, seeds=1)
    assert "there is one seed" in verdict(table)
    assert all(claim.sentence.startswith("With one seed, ") for claim in compare_all(table))
    more = simulate(pipelines=shifts, seeds=2)
    assert "one seed" not in verdict(more) + compare_all(more)[0].sentence


@pytest.mark.parametrize(
    ("facts", "few"),
    [
        ({"seeds": 2}, "cannot be told from 2 seeds."),
        ({"seeds": 1}, "cannot be told from 1 seed."),
        ({"cases": 7}, "the groups on dataset-1 (7)"),
        ({"cases": 7, "seeds": 2}, "(7) and 2 seeds."),
    ],
)
def test_no_share_of_resamples_from_few_seeds_or_cases(facts, few):
    sentence = rank(simulate(pipelines=[0.0, 0.3], **facts), resamples=50).sentence
    assert "100 %" not in sentence
    assert few in sentence


@pytest.mark.parametrize("count", [2, 3])
def test_an_exact_tie_shares_the_place(count):
    found = rank(constant(*[0.8] * count, 0.5), resamples=50)
    names = [f"p{number}" for number in range(count)]
    assert found.frame["rank"].tolist() == [1] * count + [count + 1]
    assert found.sentence.endswith(f"{', '.join(names[:-1])} and {names[-1]} share the first place.")


def test_every_sentence_of_a_test_says_how_many_seeds_there_are():
    for seeds, words in ((1, "1 seed"), (3, "3 seeds")):
        table = simulate(pipelines=[0.0, 0.1, 0.2], seeds=seeds, datasets=2, cases=20)
        alone = table.select(dataset=table.datasets[0])
        tests = (
            wilcoxon_test(alone, *table.contenders[:2]),
            permutation_test(table, *table.contenders[:2]),
            friedman(table),
        )
        for test in tests:
            assert words in test.sentence
            assert (ONE_SEED in test.remarks) == (seeds == 1)
        model = mixed_model(alone, table.contenders[0])
        assert ("one seed" in model.sentence, ONE_SEED in model.remarks) == (seeds == 1, seeds == 1)
