"""Any part has dotted paths, not the recipe alone."""

from __future__ import annotations

import pytest

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe import Cosine, Difference, Plateau, Recipe

RECIPE = zoo.get("gpt-4").recipe
FIT = RECIPE.fit.change("schedule", Plateau(factor=0.5, patience=5))


def test_a_changed_part_is_that_of_the_changed_recipe():
    assert RECIPE.loss.change("dice", 0.25) == RECIPE.change("loss.dice", 0.25).loss
    assert RECIPE.loss.change_text("dice=0.25") == RECIPE.change("loss.dice", 0.25).loss
    assert RECIPE.change("fit", FIT).get("fit.schedule.patience") == FIT.get("schedule.patience") == 5


def test_a_path_that_a_part_does_not_have():
    with pytest.raises(UserError, match=r"no field 'schedule\.patient': Plateau has no 'patient'; did you mean"):
        FIT.get("schedule.patient")


def test_items_are_those_of_the_recipe_without_the_name_and_the_kind_of_the_part():
    in_recipe = [item for item in RECIPE.change("fit", FIT).items() if item[0].startswith("fit.")]
    assert in_recipe == [("fit.kind", "Fit"), *((f"fit.{path}", value) for path, value in FIT.items())]


def test_differences_inside_a_part():
    assert FIT.diff(FIT.change("schedule.patience", 9)) == (Difference("schedule.patience", 5, 9),)


def test_differences_of_parts_of_two_kinds():
    """The kind comes first, then every field that only one of them has."""
    assert Plateau(factor=0.5, patience=5).diff(Cosine(warmup=1, final=0.0)) == (
        Difference("kind", "Plateau", "Cosine"),
        Difference("factor", 0.5, None),
        Difference("patience", 5, None),
        Difference("warmup", None, 1),
        Difference("final", None, 0.0),
    )


def test_a_recipe_has_no_kind_of_its_own():
    assert "kind" not in dict(RECIPE.items())
    assert list(RECIPE.to_dict()) == ["images", "split", "net", "loss", "fit", "score", "test"]
    assert Recipe.from_dict(RECIPE.to_dict()) == RECIPE
