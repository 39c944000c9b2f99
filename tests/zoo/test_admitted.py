"""Admitted pipelines come into the zoo from their folder, with their card."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from llmseg import UserError, zoo
from llmseg.zoo import registry
from llmseg.zoo.admitted import make_card, write_admitted

ADMITTED = zoo.Admitted(
    date="2026-03-01",
    stage="rank",
    prompt_version=1,
    edits=0,
    turns=2,
    facts=(("optimizer", "Adam"), ("rate", "0.001")),
    findings=(
        zoo.FoundMistake(
            id="fixed-order", certainty="certain", sentence="One order.", place="train.py:41", evidence="3 epochs"
        ),
    ),
)


@pytest.fixture(autouse=True)
def zoo_as_it_was(monkeypatch):
    """Whatever a test registers is gone after it."""
    monkeypatch.setattr(registry, "_PIPELINES", dict(registry._PIPELINES))


@pytest.fixture
def folder(tmp_path, tiny_recipe):
    """The folder of an admission, with recipe and card."""
    card = make_card("my-llm", parameters=1234, summary="UNet with encoder 4,8", scripts="answer", admitted=ADMITTED)
    recipe = tiny_recipe.change("images.mask_threshold", None)
    write_admitted(tmp_path / "out", zoo.Pipeline(id="my-llm", card=card, recipe=recipe, original_names=()))
    return tmp_path / "out"


@pytest.mark.parametrize("given", ["", "recipe/my-llm.json"])
def test_it_is_found_by_its_name(folder, given):
    pipeline = zoo.load(folder / given)
    assert zoo.get("My LLM") is pipeline
    assert zoo.load(folder) == pipeline  # a second time changes nothing
    assert pipeline.card.admitted == ADMITTED
    assert (pipeline.card.is_reference, pipeline.card.cohort) == (False, None)
    assert "my-llm" in zoo.all_names(reference=False)
    assert len(zoo.names()) == 19
    assert [quirk.id for quirk in pipeline.quirks] == [quirk.id for quirk in pipeline.recipe.quirks] != []


def test_weights_of_the_scripts_are_not_taken(folder):
    with pytest.raises(UserError, match="was admitted, and how it names its weights is not known; train it"):
        zoo.load(folder).load_original("weights.pth")


def test_another_name(folder):
    assert zoo.load(folder, id="mine").id == zoo.get("mine").id == "mine"


def test_a_name_that_is_taken(folder):
    zoo.register(replace(zoo.get("gpt-4"), id="my-llm"))
    with pytest.raises(UserError, match=r"the id 'my-llm' is taken .* llmseg.zoo.load\(PATH, id=NAME\)"):
        zoo.load(folder)
    assert zoo.load(folder, id="my-llm-2").id == "my-llm-2"


class TestWhatIsRefused:
    def test_no_admission(self, tmp_path):
        (tmp_path / "notes").mkdir()
        for path, words in ((tmp_path / "notes", "holds no admitted recipe"), (tmp_path / "none", "no folder")):
            with pytest.raises(UserError, match=f"{words}.*give the --out of a llmseg admit that wrote"):
                zoo.load(path)

    def test_a_recipe_that_was_changed(self, folder):
        path = folder / "recipe" / "my-llm.json"
        path.write_text(zoo.get("gpt-4").recipe.to_json())
        with pytest.raises(UserError, match="was changed since the admission"):
            zoo.load(folder)

    def test_another_recipe_beside_it(self, folder):
        (folder / "recipe" / "other.json").write_text(zoo.get("gpt-4").recipe.to_json())
        with pytest.raises(UserError, match=r"is not the admitted recipe, which is my-llm\.json; give that one"):
            zoo.load(folder / "recipe" / "other.json")

    @pytest.mark.parametrize(
        ("field", "value"), [("parameters", "many"), ("admitted", {}), ("admitted", {"date": 1}), ("id", None)]
    )
    def test_a_damaged_card(self, folder, field, value):
        path = folder / "recipe" / "card.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
        with pytest.raises(UserError, match=r"card.json is damaged: "):
            zoo.load(folder)

    def test_a_card_that_names_a_file_elsewhere(self, folder):
        path = folder / "recipe" / "card.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "recipe": "../../../etc/passwd"}))
        with pytest.raises(UserError, match=r"no file .*recipe/passwd"):
            zoo.load(folder)


class TestShown:
    def check(self, text):
        assert "admitted        2026-03-01, reached the stage rank" in text
        assert "prompt          llmseg prompt, version 1" in text
        assert "fixed-order, certain (train.py:41): One order." in text
        assert "quirks:\n  " in text
        assert "against the textbook recipe:\n  field" in text

    def test_by_its_file(self, call, folder):
        code, out, err = call("show", folder / "recipe" / "my-llm.json")
        assert (code, err) == (0, "")
        self.check(out)

    def test_by_name(self, call, folder):
        code, out, err = call("show", "my-llm", "--import", folder)
        assert (code, err) == (0, "")
        self.check(out)
        card = json.loads(call("show", "my-llm", "--json", "--import", folder)[1])["card"]
        assert card["admitted"]["turns"] == 2

    def test_a_changed_recipe_is_shown_without_its_card(self, call, folder):
        path = folder / "recipe" / "my-llm.json"
        path.write_text(zoo.get("gpt-4").recipe.to_json())
        code, out, err = call("show", path)
        assert (code, "admitted" in out) == (0, False)
        assert err.startswith("llmseg: warning: without its card, for ")
