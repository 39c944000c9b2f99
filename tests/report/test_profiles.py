"""Settings given for all contenders are no quirks of them."""

from __future__ import annotations

from types import SimpleNamespace

from llmseg import Recipe, zoo
from llmseg.report.profiles import look_up_profiles
from llmseg.study import repairs
from llmseg.study.results import ContenderRun

NAMES = ("gpt-o3", "gpt-4o", "grok-3-mini")


def small(recipe: Recipe) -> Recipe:
    return recipe.change("images.size", (64, 64)).change("fit.epochs", 1)


def profiles_of(recipes: dict[str, Recipe]) -> dict[str, set[str]]:
    runs = [ContenderRun(name, "d", 0, SimpleNamespace(recipe=recipe), None) for name, recipe in recipes.items()]
    found = look_up_profiles(recipes, runs)
    return {name: {repair.quirk.id for repair in profile.repairs} for name, profile in found.items()}


def test_a_report_counts_the_quirks_that_contenders_have_themselves():
    own = {name: {quirk.id for quirk in zoo.get(name).quirks} for name in NAMES}
    assert profiles_of({name: zoo.get(name).recipe for name in NAMES}) == own
    assert profiles_of({name: small(zoo.get(name).recipe) for name in NAMES}) == own


def test_a_change_of_one_contender_is_its_quirk():
    recipes = {name: zoo.get(name).recipe for name in NAMES}
    found = profiles_of({**recipes, "gpt-o3": small(recipes["gpt-o3"])})
    assert {"small-images", "few-epochs"} <= found["gpt-o3"]


def test_variants_of_an_ablation_share_their_settings():
    recipe = small(zoo.get("gpt-o3").recipe)
    found = profiles_of({"gpt-o3": recipe, "gpt-o3 fit.batch_size=4": recipe.change("fit.batch_size", 4)})
    assert all(not ids & {"small-images", "few-epochs"} for ids in found.values())


def test_settings_are_not_repaired():
    own = zoo.get("grok-3-mini").recipe
    recipe = small(own)
    expected = {f"without {quirk.id}" for quirk in own.quirks}
    variants = repairs(recipe, "each", own=own)
    assert {variant.name for variant in variants[1:]} == expected
    assert {variant.recipe.get("images.size") for variant in variants} == {(64, 64)}
    base, repaired = repairs(recipe, "all", own=own)
    assert repaired.recipe.get("images.size") == base.recipe.get("images.size") == (64, 64)
    assert {quirk.id for quirk in repaired.recipe.quirks} == {"small-images", "few-epochs"}
    # Asked for by its name, it is repaired.
    assert repairs(recipe, "small-images", own=own)[1].recipe.get("images.size") != (64, 64)


def test_epochs_of_all_variants_are_not_repaired():
    few = zoo.get("grok-3-mini").recipe.change("fit.epochs", 1)
    assert "without few-epochs" in [variant.name for variant in repairs(few, "each")]
    names = [variant.name for variant in repairs(few, "each", settings=("fit.epochs",))]
    assert "without few-epochs" not in names
