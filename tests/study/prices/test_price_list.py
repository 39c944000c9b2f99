from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from llmseg import UserError, hold_out, run_study
from llmseg.recipe import get_quirk, quirk_names
from llmseg.study import PriceList, PriceSettings, Variant, render_price_page, run_prices
from llmseg.study.prices.contrasts import planted
from llmseg.study.prices.price_list import compute_own_score

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "benchmarks" / "results" / "price_list.json"
SMALL = ("net.encoder=4,8,16,32", "net.bottleneck=64", "net.decoder=32,16,8,4")


@pytest.fixture(scope="module")
def textbook():
    return PriceSettings(textbook=SMALL).recipe("textbook")


def test_planted_by_one_field(textbook):
    recipes = {id: planted(textbook, get_quirk(id)) for id in quirk_names()}
    assert recipes["grey-masks"].images.mask_threshold is None
    assert recipes["double-sigmoid"].net.output == "probability"
    assert recipes["no-skips"] is None
    assert recipes["missing-sigmoid"] is None, "a loss of probabilities refuses logits, so nothing would be trained"
    for id, recipe in recipes.items():
        if recipe is not None:
            assert id in [quirk.id for quirk in recipe.quirks]
            assert len(textbook.diff(recipe)) == 1


def test_a_planted_quirk_of_a_score_changes_no_mask(textbook):
    assert planted(textbook, get_quirk("double-sigmoid-in-test")) is None
    raw = planted(textbook, get_quirk("raw-logits-in-test"))
    assert [field.path for field in textbook.diff(raw)] == ["test.reads"]


def test_prices_of_a_tiny_recipe(tiny, phantoms, tmp_path):
    """A quirk that changes masks has a price in Dice; one of the score has a price in the score only."""
    settings = PriceSettings(seeds=1, fraction=0.2)
    options = {"settings": settings, "device": "cpu", "progress": False}
    prices = run_prices(phantoms, tmp_path, [tiny], kind="mistake", **options)
    rows = prices.rows.set_index("quirk")
    assert set(rows.index) == {"grey-masks", "soft-dice-in-test"}
    assert rows.loc["grey-masks", "changes_masks"]
    assert rows.loc["grey-masks", "low"] <= rows.loc["grey-masks", "gained"] <= rows.loc["grey-masks", "high"]
    scored = rows.loc["soft-dice-in-test"]
    assert not scored["changes_masks"]
    assert scored["gained"] == 0
    assert scored["own_before"] != scored["own_after"]
    page = render_price_page(prices.record)
    assert "| `soft-dice-in-test` | synthetic-mri-tumour | tiny |" in page
    before = prices.path.read_text()
    run_prices(phantoms, tmp_path, [tiny], kind="mistake", **options)
    assert prices.path.read_text() == before
    left = run_prices(phantoms, tmp_path / "fewer", [tiny], kind="mistake", leave_out=["grey-masks"], **options)
    assert left.rows["quirk"].tolist() == ["soft-dice-in-test"]


def test_a_field_that_is_the_same_for_all_has_no_price():
    assert PriceSettings(size=64, epochs=2).imposed == {"images.size", "fit.epochs"}
    assert PriceSettings().imposed == set()


def test_own_score_is_that_of_the_run(tiny_recipe, phantoms, tmp_path):
    recipe = tiny_recipe.change("fit.epochs", 1)
    options = {"holdout": hold_out(phantoms), "seeds": 1, "device": "cpu", "progress": False}
    study = run_study("tiny", [Variant("base", recipe)], phantoms, tmp_path / "s", **options)
    (run,) = study.runs("base")
    listed = run.listed
    expected = listed[listed["phase"] == "test"]["value"].mean()
    assert compute_own_score(run, phantoms, recipe.test) == pytest.approx(expected, abs=1e-6)
    assert math.isnan(compute_own_score(run, phantoms, None))


def test_a_list_is_not_mixed_with_one_of_other_settings(tiny, phantoms, tmp_path):
    record = json.loads(RESULTS.read_text(encoding="utf-8"))
    (tmp_path / "prices.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="was made with size 64; choose another --out"):
        run_prices(phantoms, tmp_path, [tiny], settings=PriceSettings(size=32))
    record["datasets"] = {phantoms.name: {"cases": 3, "digest": "0" * 64}}
    (tmp_path / "prices.json").write_text(json.dumps(record))
    given = record["settings"]
    settings = PriceSettings(
        **{name: given[name] for name in ("fraction", "size", "batch_size", "epochs", "seeds")},
        textbook=tuple(given["textbook"]),
    )
    with pytest.raises(UserError, match="has prices of another synthetic-mri-tumour"):
        run_prices(phantoms, tmp_path, [tiny], settings=settings)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "mistakes"}, "no kind of quirks 'mistakes'; did you mean 'mistake'"),
        ({"leave_out": ["grey-mask"]}, "no quirk 'grey-mask'; did you mean 'grey-masks'"),
        ({"pipelines": ["gpt-5"]}, "no pipeline 'gpt-5'"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(phantoms, tmp_path, options, words):
    with pytest.raises(UserError, match=words):
        run_prices(phantoms, tmp_path / "p", **options)
    assert not (tmp_path / "p").exists()


def test_the_page_is_that_of_the_results():
    page = render_price_page(PriceList(RESULTS).record)
    assert (ROOT / "docs" / "reference" / "price-list.md").read_text(encoding="utf-8") == page


def test_a_file_that_is_no_price_list(tmp_path):
    for content, words in (("{", "it holds no JSON"), ("{}", "it does not say 'settings'")):
        (tmp_path / "p.json").write_text(content)
        with pytest.raises(UserError, match=words):
            _ = PriceList(tmp_path / "p.json").record


def test_a_folder_of_somebody_else_is_left_alone(phantoms, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty and holds no price list; choose another --out"):
        run_prices(phantoms, tmp_path, ["gpt-4"], progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
