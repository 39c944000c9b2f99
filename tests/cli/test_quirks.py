from __future__ import annotations

import json
import shlex

import pytest

import llmseg
from llmseg import UserError, zoo


class TestQuirks:
    def test_the_catalogue(self, call):
        code, out, _ = call("quirks")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == list(llmseg.recipe.quirk_names())
        listed = json.loads(call("quirks", "--json")[1])
        assert [entry["id"] for entry in listed] == list(llmseg.recipe.quirk_names())
        assert {e["id"]: e["found_in"] for e in listed}["double-sigmoid"] == ["grok-3-mini"]

    @pytest.mark.parametrize("id", [*zoo.names(in_study=None), "gpt-4@tensorflow"])
    def test_a_pipeline(self, call, id):
        recipe, entries = zoo.get(id).recipe, json.loads(call("quirks", id, "--json")[1])
        assert [entry["id"] for entry in entries] == [quirk.id for quirk in recipe.quirks]
        text = call("quirks", id)[1]
        for entry in entries:
            assert entry["id"] in text
            assert entry["how"] in text
            mended = recipe.repaired(entry["id"])
            option, change = shlex.split(entry["how"])
            assert (option, recipe.change_text(change)) == ("--set", mended)

    def test_a_recipe_without(self, call, tmp_path):
        path = tmp_path / "mine.json"
        path.write_text(zoo.TEXTBOOK.to_json())
        assert call("quirks", path) == (0, "mine: no known quirk\n", "")

    def test_a_quirk(self, call):
        code, out, _ = call("quirks", "double-sigmoid")
        assert code == 0
        assert "in: grok-3-mini" in out
        assert "explains: " in out
        assert json.loads(call("quirks", "missing-sigmoid", "--json")[1])["found_in"] == []
        assert "in: no pipeline" in call("quirks", "missing-sigmoid")[1]

    def test_neither(self, call):
        code, out, err = call("quirks", "gpt-44")
        assert (code, out) == (2, "")
        assert "did you mean 'gpt-4'?" in err


class TestWarning:
    @pytest.fixture
    def train(self, call, tmp_path, monkeypatch):
        """Everything up to the training itself."""

        def stopped(*_, **__):
            raise UserError("stopped here")

        monkeypatch.setattr("llmseg.train", stopped, raising=False)

        def run(name, *options):
            _, out, err = call("train", name, "--synthetic", "mri-tumour", "--out", tmp_path / "run", *options)
            assert out == ""
            *warnings, last = err.splitlines()
            assert last == "llmseg: stopped here"
            return [line.split(": ")[2] for line in warnings if line.startswith("llmseg: warning: ")]

        return run

    @pytest.mark.parametrize("id", [*zoo.names(in_study=None), "gpt-4@tensorflow"])
    def test_a_pipeline_as_it_is_says_nothing(self, train, id):
        assert train(id) == []

    def test_a_change_that_makes_a_mistake(self, train):
        assert train("gpt-4", "--set", "loss.reads=probability") == ["missing-sigmoid"]
        assert train("gpt-4", "--set", "loss.reads=probability", "--set", "net.output=probability") == []
        assert train("gpt-o3", "--set", "net.output=probability") == [
            "double-sigmoid",
            "double-sigmoid-in-validation",
            "double-sigmoid-in-test",
        ]

    def test_a_choice_is_the_users(self, train):
        assert train("gpt-o3", "--set", "images.size=128,128", "--set", "fit.epochs=1") == []

    def test_a_recipe_of_ones_own(self, train, tmp_path):
        path = tmp_path / "mine.json"
        path.write_text(zoo.get("grok-3-mini").recipe.to_json())
        assert train(path) == ["double-sigmoid"]
        assert train(path, "--set", "loss.reads=probability") == []

    def test_the_other_processes_are_silent(self, train, tmp_path, monkeypatch, call):
        monkeypatch.setenv("RANK", "1")
        assert (
            call("train", "gpt-4", "--synthetic", "mri-tumour", "--out", tmp_path, "--set", "test.reads=output")[2]
            == ""
        )

    def test_it_says_how_to_mend_it(self, call, train, tmp_path):
        out = ("--synthetic", "mri-tumour", "--out", tmp_path / "run")
        err = call("train", "gpt-o3", *out, "--set", "score.reads=output")[2]
        assert err.splitlines()[0].endswith("Mend it with --set score.reads=sigmoid")
