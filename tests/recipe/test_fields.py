"""The list of fields: complete, said by the parts, and true."""

from __future__ import annotations

import dataclasses

import pytest

from llmseg import UserError, zoo
from llmseg.recipe import annotations, describe_kind, list_fields
from llmseg.recipe.fields import read_attributes


@pytest.fixture(autouse=True)
def _kinds_of_the_package(monkeypatch):
    """Other tests define kinds of their own."""
    own = {name: cls for name, cls in annotations._KINDS.items() if cls.__module__.startswith("llmseg.")}
    monkeypatch.setattr(annotations, "_KINDS", own)


def test_every_field_of_every_pipeline_is_listed_with_a_meaning():
    listed = {field.path for field in list_fields()}
    for name in zoo.all_names():
        paths = {path for path, _ in zoo.get(name).recipe.items() if not path.endswith(".kind")}
        assert paths <= listed
    assert [field for field in list_fields() if not field.meaning.endswith(".")] == []


def test_what_is_allowed_is_what_the_parts_take():
    """Each word of a choice can be set in a recipe that has the kind, and another word cannot."""
    recipe = zoo.get("gpt-o3").recipe
    words = [
        field
        for field in list_fields("", recipe)
        if field.choices and not dataclasses.is_dataclass(recipe.get(field.path))
    ]
    assert len(words) > 15
    for field in words:
        for word in field.choices:
            if field.path not in (
                "score.over",
                "score.lists",
                "test.over",
                "test.lists",
                "fit.schedule",
                "fit.augment",
                "fit.own_seed",
            ):
                assert recipe.change_text(f"{field.path}={word}").get(field.path) == word
        with pytest.raises(UserError):
            recipe.change_text(f"{field.path}=no-such-word")


def test_a_part_and_a_field_of_several_kinds():
    assert {field.kind for field in list_fields("net.encoder")} >= {"UNet", "KerasUNet", "TimmUNet"}
    (schedule,) = (field for field in list_fields("fit.schedule") if field.path == "fit.schedule")
    assert schedule.choices == ("Plateau", "Cosine")
    assert schedule.allowed == "plateau, cosine, none"


def test_of_a_recipe():
    """Its own kinds, and values as they are typed."""
    recipe = zoo.get("claude-4-sonnet").recipe
    found = {field.path: field.value for field in list_fields("", recipe)}
    assert found["fit.schedule"] == "Plateau"
    assert "fit.schedule.warmup" not in found
    for path, value in found.items():
        if not dataclasses.is_dataclass(recipe.get(path)):
            assert recipe.change_text(f"{path}={value}") == recipe


def test_words_that_several_kinds_share_are_explained_where_they_are_listed():
    for field in list_fields("loss.sizes"):
        assert all(f"'{word}': " in field.meaning for word in field.choices)
        assert "Sizes" not in field.meaning


def test_no_field():
    with pytest.raises(UserError, match=r"no field 'fit\.epoch'; did you mean 'fit\.epochs'\?"):
        list_fields("fit.epoch")


def test_marks_of_docstrings_are_left_out():
    assert [field for field in list_fields() if "``" in field.meaning or ":class:" in field.meaning] == []
    assert "Usually Plateau(factor=0.1,patience=10)." in describe_kind("Plateau")


def test_a_field_without_a_meaning_is_found():
    @dataclasses.dataclass
    class Unsaid:
        """A kind.

        Attributes:
            one: First line,
                second line.
        """

        one: int
        two: int

    Unsaid.__annotations__ = {"one": int, "two": int}
    assert read_attributes(Unsaid) == {"one": "First line, second line.", "two": ""}


class TestCommand:
    def test_text(self, call):
        code, out, err = call("fields", "fit.optimizer")
        assert (code, err) == (0, "")
        assert "fit.optimizer = 'adam' or 'adamw' or 'keras-adam'" in out

    def test_all(self, call):
        out = call("fields")[1]
        assert all(f"  {field.path} = " in out for field in list_fields())

    def test_of_a_pipeline(self, call):
        out = call("fields", "net", "--of", "gpt-4")[1]
        assert "net.norm = none   ('batch' or 'none')" in out
        assert "KerasUNet:" not in out
