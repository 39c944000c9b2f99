from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llmseg import UserError
from llmseg.stats import Table, compare, plan, simulate, variance_atlas
from llmseg.stats.variance import SOURCES

TRUTH = {"LLM": 0.05, "seed": 0.03, "group": 0.06, "LLM x group": 0.04, "rest": 0.02}


def study(**options):
    shared = TRUTH["group"] ** 2 + TRUTH["LLM x group"] ** 2
    spreads = {"pipeline_spread": TRUTH["LLM"], "run_spread": TRUTH["seed"], "noise": TRUTH["rest"]}
    spreads |= {"group_spread": shared**0.5, "shared_share": TRUTH["group"] ** 2 / shared, "mean": 0.5}
    return simulate(**{"pipelines": 12, "datasets": 4, "seeds": 4, "cases": 150, **spreads, **options})


def test_the_components_are_those_that_were_simulated():
    """The mean over twelve studies; single studies scatter, above all in what twelve LLMs show."""
    atlases = [variance_atlas(study(random=seed)) for seed in range(12)]
    for source, spread in TRUTH.items():
        found = np.mean([atlas.variance(source) for atlas in atlases])
        assert found == pytest.approx(spread**2, rel=0.25), source
    for source in ("dataset", "LLM x dataset"):
        assert np.mean([atlas.variance(source) for atlas in atlases]) < 0.0002


def test_shares_add_up_and_unknown_sources_are_remarked():
    atlas = variance_atlas(study())
    assert atlas.frame["source"].tolist() == list(SOURCES)
    assert atlas.frame["share"].sum() == pytest.approx(1)
    assert [remark.split(" is not")[0] for remark in atlas.remarks] == ["generation"]
    single = variance_atlas(study(seeds=1, datasets=1))
    assert [remark.split(" is not")[0] for remark in single.remarks] == [
        *("dataset", "LLM x dataset", "generation", "seed", "rest")
    ]
    assert single.variance("seed") == 0
    assert np.isnan(single.frame.set_index("source").loc["seed", "share"])


def test_generations_are_told_from_llms():
    """Six LLMs of three generations: pipelines 1 to 3 are the first, and so on."""
    random = np.random.default_rng(0)
    found = []
    for seed in range(8):
        shifts = random.normal(0, 0.06, 6).repeat(3) + random.normal(0, 0.03, 18)
        frame = study(pipelines=shifts, pipeline_spread=0.0, cases=60, random=seed).frame
        number = frame["pipeline"].str[-2:].astype(int) - 1
        names = "llm-" + (number // 3).astype(str) + "@run-" + (number % 3).astype(str)
        found.append(variance_atlas(Table(frame.assign(pipeline=names))))
    assert np.mean([atlas.variance("generation") for atlas in found]) == pytest.approx(0.03**2, rel=0.4)
    assert np.mean([atlas.variance("LLM") for atlas in found]) == pytest.approx(0.06**2, rel=0.5)


def test_the_plan_finds_what_it_promises():
    """As many cases as planned find the difference about as often as asked for."""
    atlas = variance_atlas(study(run_spread=0.003, datasets=2))
    planned = plan(atlas, 0.02, generations=[1], seeds=[5])
    groups = int(planned["groups"][0])
    assert 30 < groups < 300
    assert planned["trainings"].tolist() == [5]
    hits = 0
    for seed in range(60):
        table = study(
            pipelines=[0.02, 0.0], pipeline_spread=0.0, run_spread=0.003, datasets=1, seeds=5, cases=groups, random=seed
        )
        hits += compare(table, "llm-01", "llm-02").verdict == "better"
    low, high = stats.binom.interval(0.998, 60, 0.8)
    assert low <= hits <= high


def test_more_cases_cannot_replace_seeds():
    atlas = variance_atlas(study())
    found = plan(atlas, 0.01, generations=[1], seeds=[1, 3, 200])["groups"]
    assert found.map(np.isinf).tolist() == [True, True, False]


def test_what_cannot_be_split_or_planned():
    with pytest.raises(UserError, match="dataset-1 has one group"):
        variance_atlas(study(cases=3, group_size=3))
    with pytest.raises(UserError, match="the table has one group or one contender"):
        variance_atlas(study(pipelines=1))
    with pytest.raises(UserError, match="difference above 0"):
        plan(variance_atlas(study(cases=5)), 0.0)


def test_ties_everywhere_have_no_variance():
    atlas = variance_atlas(Table(study(cases=5).frame.assign(value=0.5)))
    assert atlas.frame["variance"].dropna().tolist() == [0] * 7
    assert atlas.frame["share"].dropna().tolist() == [0] * 7
