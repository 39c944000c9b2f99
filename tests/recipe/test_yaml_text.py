"""Recipes in YAML: exact both ways, and nothing of YAML that surprises."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg import Recipe, UserError, zoo
from llmseg.recipe import read_recipe, write_recipe
from llmseg.recipe.yaml_text import read_yaml, write_yaml

GPT4 = zoo.get("gpt-4").recipe
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)


def test_every_recipe_keeps_its_digest():
    for name in (*zoo.names(in_study=None, reference=None), "gpt-4@tensorflow", "bing-copilot@tensorflow"):
        recipe = zoo.get(name).recipe
        text = recipe.to_yaml()
        assert Recipe.from_yaml(text) == recipe
        assert Recipe.from_yaml(text).digest == Recipe.from_json(recipe.to_json()).digest == recipe.digest


def test_it_is_yaml_as_others_read_it():
    assert yaml.safe_load(GPT4.to_yaml()) == GPT4.to_dict()
    assert "  encoder: [64, 128, 256]\n" in GPT4.to_yaml()


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(min_size=1), PLAIN, max_size=3))
def test_any_values_come_back(content):
    assert read_yaml(write_yaml(content)) == content


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1.0e-05", 0.00001),
        ("-3", -3),
        ("no", "no"),
        ("none", "none"),
        ("null", None),
        ("~", None),
        ("True", True),
        ("'1'", "1"),
        ("'null'", "null"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_words_and_numbers_as_people_write_them(text, value):
    (read,) = read_yaml(f"- {text}")
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an object with seven parts, not NoneType"),
        ("- 1", "an object with seven parts, not list"),
        ("images: [", "no recipe in YAML"),
        ("a: 1\n---\nb: 2", "no recipe in YAML"),
        ("a: 1\na: 2", "line 2 names a a second time"),
        ("a: &x [1]\nb: *x", "is used again by an alias"),
        ("a: !!python/object/apply:os.system [ls]", "has the tag"),
        ("a: !mine 1", "has the tag !mine"),
        ("[" * 1500, "no recipe in YAML"),
        ("a: \x00", "no recipe in YAML"),
    ],
)
def test_what_is_no_recipe_is_one_line(text, words):
    with pytest.raises(UserError) as refused:
        Recipe.from_yaml(text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["mine.json", "mine.yaml", "mine.yml"])
def test_files(name, tmp_path, call):
    path = write_recipe(GPT4, tmp_path / name)
    assert read_recipe(path) == GPT4
    assert write_recipe(GPT4, path) == path, "the same again is no change"
    assert call("diff", path, "gpt-4")[1] == "no difference\n"
    with pytest.raises(UserError, match="is there already and holds something else"):
        write_recipe(GPT4.change("fit.epochs", 1), path)
    assert read_recipe(path) == GPT4


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"end in \.json, \.yaml, \.yml"):
        write_recipe(GPT4, tmp_path / "mine.txt")
    with pytest.raises(UserError, match=r"no recipe file .*mine\.yaml"):
        read_recipe(tmp_path / "mine.yaml")


def test_show_writes_a_recipe_that_commands_take(tmp_path, call):
    mine = tmp_path / "mine.yaml"
    code, out, err = call("show", "gpt-4", "--set", "fit.epochs=3", "--recipe", mine)
    assert (code, err) == (0, "")
    assert str(mine) in out
    assert read_recipe(mine) == GPT4.change("fit.epochs", 3)
    shown = call("show", mine)[1]
    assert shown.startswith("mine")
    assert "  fit.epochs = 3" in shown
    assert "against the textbook recipe:" in shown
    assert call("show", mine, "--json")[1].count('"recipe"') == 1
    assert call("show", "gpt-4", "--set", "fit.epochs=4", "--recipe", mine)[0] == 2


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", "x"), ("b.json", '{"a": 1}'), ("c.yaml", "a: [1"), ("d.yml", "3")]
)
def test_a_file_without_a_recipe_is_named(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=f"{name}: "):
        read_recipe(tmp_path / name)
