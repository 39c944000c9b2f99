from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path

import pandas as pd
import pytest

import llmseg
from llmseg import hold_out, run_study, zoo
from llmseg.study import Variant

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def price_list(module):
    return module("price_list")


@pytest.fixture(scope="module")
def textbook(price_list):
    return price_list._textbook(["net.encoder=4,8,16,32", "net.bottleneck=64", "net.decoder=32,16,8,4"])


def test_planted_by_one_field(price_list, textbook):
    found = {id: price_list.planted(textbook, llmseg.recipe.get_quirk(id)) for id in llmseg.recipe.quirk_names()}
    assert found["grey-masks"].images.mask_threshold is None
    assert found["double-sigmoid"].net.output == "probability"
    assert found["no-skips"] is None
    assert found["missing-sigmoid"] is None, "a loss of probabilities refuses logits, so nothing would be trained"
    for id, recipe in found.items():
        if recipe is not None:
            assert id in [quirk.id for quirk in recipe.quirks]
            assert len(textbook.diff(recipe)) == 1


def test_a_planted_quirk_of_a_score_changes_no_mask(price_list, textbook):
    assert price_list.planted(textbook, llmseg.recipe.get_quirk("double-sigmoid-in-test")) is None
    raw = price_list.planted(textbook, llmseg.recipe.get_quirk("raw-logits-in-test"))
    assert [d.path for d in textbook.diff(raw)] == ["test.reads"]


def test_prices_of_a_tiny_recipe(price_list, tiny_recipe, phantoms, tmp_path, monkeypatch):
    """A quirk that changes masks has a price in Dice; one of the score has a price in the score only."""
    recipe = tiny_recipe.change("fit.epochs", 1).change("images.mask_threshold", None).change("test.threshold", None)
    monkeypatch.setattr("llmseg.zoo.registry._PIPELINES", dict(zoo.registry._PIPELINES))
    zoo.register(dataclasses.replace(zoo.get("gpt-o3"), id="tiny", recipe=recipe))
    options = argparse.Namespace(
        kind="mistake", leave_out=[], size=0, batch_size=0, epochs=None, seeds=1, runs=tmp_path
    )
    rows = list(price_list._prices("tiny", "phantoms", phantoms, hold_out(phantoms), options))
    prices = {row["quirk"]: row for row in rows}
    assert set(prices) == {"grey-masks", "soft-dice-in-test"}
    assert prices["grey-masks"]["changes_masks"]
    assert prices["grey-masks"]["low"] <= prices["grey-masks"]["gained"] <= prices["grey-masks"]["high"]
    scored = prices["soft-dice-in-test"]
    assert (scored["changes_masks"], scored["gained"]) == (False, 0.0)
    assert scored["own_before"] != scored["own_after"]


def test_own_score_is_that_of_the_run(price_list, tiny_recipe, phantoms, tmp_path):
    recipe = tiny_recipe.change("fit.epochs", 1)
    options = {"holdout": hold_out(phantoms), "seeds": 1, "device": "cpu", "progress": False}
    study = run_study(
        "tiny",
        [Variant("base", recipe), Variant("b", recipe.change("fit.rate", 1e-9))],
        phantoms,
        tmp_path / "s",
        **options,
    )
    (run,) = study.runs("base")
    listed = run.listed
    expected = listed[listed["phase"] == "test"]["value"].mean()
    assert price_list.own_score(run, phantoms, recipe.test) == pytest.approx(expected, abs=1e-6)
    assert math.isnan(price_list.own_score(run, phantoms, None))


def test_a_list_is_added_to_and_not_mixed(price_list, tmp_path):
    names = ("cases", "fraction", "size", "batch_size", "epochs", "seeds", "textbook")
    options = argparse.Namespace(json=tmp_path / "list.json", **dict.fromkeys(names, 1))
    assert price_list._earlier(options) == []
    options.json.write_text(json.dumps({"settings": dict.fromkeys(names, 1), "rows": [{"quirk": "no-skips"}]}))
    assert price_list._earlier(options) == [{"quirk": "no-skips"}]
    options.seeds = 2
    with pytest.raises(SystemExit, match="was made with"):
        price_list._earlier(options)


def test_the_page_is_that_of_the_results(module):
    results = ROOT / "benchmarks" / "results" / "price_list.json"
    page = module("price_list_page").page(json.loads(results.read_text(encoding="utf-8")))
    assert (ROOT / "docs" / "price-list.md").read_text(encoding="utf-8") == page


def test_means_of_cohorts(module):
    rows = pd.DataFrame({"part": ["net", "loss", "net", "loss"], "difference": [0.1, 0.0, 0.3, 0.2]})
    assert module("cohorts").means(rows)["mean"].tolist() == pytest.approx([0.2, 0.1])
