from __future__ import annotations

import pandas as pd
import pytest

from llmseg import UserError, hold_out
from llmseg.study import Variant, run_cohort_gap
from llmseg.study.cohort_gap import average_contributions


@pytest.fixture(scope="module")
def cohorts(tiny_recipe):
    """Two fast recipes, and a slow one."""
    recipe = tiny_recipe.change("fit.epochs", 1)
    fast = [Variant(f"fast-{seed}", recipe.change("split.seed", seed)) for seed in (1, 2)]
    return fast, [Variant("slow", recipe.change("fit.rate", 1e-12).change("split.seed", 1))]


def test_means_over_pairs():
    rows = pd.DataFrame({"part": ["net", "loss", "net", "loss"], "difference": [0.1, 0.0, 0.3, 0.2]})
    means = average_contributions(rows)
    assert means["part"].tolist() == ["net", "loss"]
    assert means["mean"].tolist() == pytest.approx([0.2, 0.1])
    assert means["std"].tolist() == pytest.approx([0.02**0.5, 0.02**0.5])
    assert means["count"].tolist() == [2, 2]


def test_every_pair_has_its_gap(cohorts, phantoms, tmp_path):
    options = {"holdout": hold_out(phantoms, fraction=0.2), "seeds": 1, "device": "cpu", "progress": False}
    result = run_cohort_gap(*cohorts, phantoms, tmp_path / "g", **options)
    pairs = pd.read_csv(tmp_path / "g" / "pairs.csv")
    assert set(zip(pairs["left"], pairs["right"], strict=True)) == {("fast-1", "slow"), ("fast-2", "slow")}
    for gap, (_, rows) in zip(result.gaps, pairs.groupby("left"), strict=True):
        assert rows["difference"].tolist() == pytest.approx(gap.contributions()["difference"].tolist())
    means = pd.read_csv(tmp_path / "g" / "means.csv").set_index("part")
    assert means.loc["fit", "mean"] == pytest.approx(pairs[pairs["part"] == "fit"]["difference"].mean())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("weights.safetensors")}
    run_cohort_gap(*cohorts, phantoms, tmp_path / "g", **options)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("weights.safetensors")}


def test_a_recipe_on_both_sides_is_refused(cohorts, phantoms, tmp_path):
    fast, slow = cohorts
    for sides, words in (((fast, [*slow, fast[0]]), "fast-1 is on both sides"), ((fast, []), "a cohort is empty")):
        with pytest.raises(UserError, match=words):
            run_cohort_gap(*sides, phantoms, tmp_path / "g", holdout=hold_out(phantoms))
    assert not (tmp_path / "g").exists()
