"""What names of contenders stand for."""

from __future__ import annotations

import json

import pytest

from llmseg import UserError, zoo
from llmseg.study.contenders import find_contenders


def names(*given):
    return tuple(variant.name for variant in find_contenders(given))


def test_groups_of_names():
    assert names("study") == zoo.names()
    assert names("2024", "2025") == (*zoo.names(cohort=2024), *zoo.names(cohort=2025))
    assert names("references") == zoo.all_names(reference=True)


def test_each_stands_once_in_the_order_of_the_names():
    assert names("gpt-o3", "4o", "gpt-4o", "nnunet") == ("gpt-o3", "gpt-4o")
    assert names("gpt-4o@run-*")[:2] == ("gpt-4o@run-01", "gpt-4o@run-02")


def test_two_recipes_of_one_name_are_refused(tmp_path):
    path = tmp_path / "gpt-4.json"
    recipe = zoo.get("gpt-4").recipe.change("fit.epochs", 3)
    path.write_text(json.dumps(recipe.to_dict()), encoding="utf-8")
    assert find_contenders([str(path)])[0].recipe == recipe
    with pytest.raises(UserError, match="two recipes are called gpt-4"):
        find_contenders(["gpt-4", str(path)])


def test_a_name_of_nothing_is_refused():
    with pytest.raises(UserError, match="did you mean 'gpt-4'"):
        find_contenders(["gtp-4"])
