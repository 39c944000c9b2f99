"""llmseg gap with several pipelines on a side."""

from __future__ import annotations

import json

import pytest

from llmseg.stats.words import ONE_SEED


@pytest.mark.slow
def test_names_with_commas(tiny_recipe, tmp_path, call):
    recipe = tiny_recipe.change("fit.epochs", 1).change("split.seed", 1)
    recipes = {
        "fast-1": recipe,
        "fast-2": recipe.change("split.seed", 2),
        "slow": recipe.change("fit.rate", 1e-12),
    }
    for name, own in recipes.items():
        (tmp_path / f"{name}.json").write_text(own.to_json())
    left = ",".join(str(tmp_path / f"fast-{seed}.json") for seed in (1, 2))
    given = ["gap", left, tmp_path / "slow.json", "--synthetic", "mri-tumour", "--cases", 25, "--seeds", 1, "-q"]
    code, out, err = call(*given, "--out", tmp_path / "g")
    assert code == 0
    assert err.startswith("llmseg: warning: 2 test cases of 25 cases: ")
    assert err.count("\n") == 1
    lines = out.splitlines()
    assert lines[0].split() == ["part", "dice", "sd", "over", "pairs"]
    assert lines[-1] == f"2 pairs; each in pairs.csv; {ONE_SEED}; in {tmp_path / 'g'}"
    content = json.loads(call(*given, "--out", tmp_path / "g", "--json")[1])
    assert len(content["pairs"]) == 2 * len(content["means"]) == 18


def test_a_cohort_against_itself_is_one_line(tmp_path, call):
    code, _, err = call("gap", "2025", "2025", "--synthetic", "fundus", "--out", tmp_path / "g", "-q")
    assert code == 2
    assert "is on both sides" in err
    assert err.count("\n") == 1
