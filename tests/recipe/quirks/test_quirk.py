"""What a quirk is, and the helpers with which its question and its change are written."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import pytest

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe import Difference, Net, get_quirk, quirk_names
from llmseg.recipe.quirks.quirk import ABSENT, ends_in, field_is, number_at, value_at

RECIPES = {id: zoo.get(id).recipe for id in zoo.all_names(reference=False)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConstantOutputNet(Net):
    """A network that says without a field what it ends in."""

    depth: int

    @property
    def output(self) -> Literal["logits", "probability"]:
        return "probability"

    def build(self, in_channels):
        raise NotImplementedError


def test_value_at_every_path_of_every_recipe():
    for id, recipe in RECIPES.items():
        values = dict(recipe.items())
        assert {path: value_at(recipe, path) for path in values} == values, id


def test_what_is_no_plain_value_is_absent():
    for id, recipe in RECIPES.items():
        parts = {path.rpartition(".")[0] for path, _ in recipe.items()} - {""}
        for path in (*parts, "fit.kid", "fit.epochs.kind", "images.colours", "nothing"):
            assert value_at(recipe, path) is ABSENT, (id, path)


def test_a_comparison_with_a_number_that_is_not_there_does_not_hold():
    recipe = RECIPES["gpt-4"]
    assert number_at(recipe, "fit.epochs") == recipe.fit.epochs
    for path in ("images.mask_threshold", "fit.optimizer", "nothing"):
        assert math.isnan(number_at(recipe, path))
        assert not number_at(recipe, path) < 0
        assert not number_at(recipe, path) >= 0


def test_none_is_a_value_and_not_absence():
    recipe = RECIPES["gpt-4"]
    assert field_is("images.mask_threshold", None)(recipe)
    assert field_is("fit.optimizer", "adamw", "adam")(recipe)
    assert not field_is("images.threshold", None)(recipe)


def test_repaired_field():
    recipe = RECIPES["grok-3-mini"]
    assert get_quirk("double-sigmoid").repaired_field(recipe) == Difference("loss.reads", "logits", "probability")
    with pytest.raises(UserError, match="does not have the quirk 'no-skips'"):
        get_quirk("no-skips").repaired_field(recipe)


def test_what_a_network_ends_in_need_not_be_a_field():
    recipe = RECIPES["gpt-4"].change("net", ConstantOutputNet(depth=1)).change("loss.reads", "logits")
    assert ends_in(recipe, "probability")
    assert not ends_in(recipe, "logits")
    assert get_quirk("double-sigmoid") in recipe.quirks


def test_a_part_that_is_no_recipe_has_no_quirks():
    """Quirks ask for paths of a recipe; those of a part alone begin elsewhere."""
    parts = [getattr(RECIPES["gpt-4"], field.name) for field in dataclasses.fields(RECIPES["gpt-4"])]
    assert [(part, id) for part in parts for id in quirk_names() if get_quirk(id).applies(part)] == []
