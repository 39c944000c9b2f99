from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import subprocess
import sys

import pytest
import torch

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import Pipeline

EVERY_ID = zoo.all_names(reference=False)

# What a user writes in a file of their own: one value and one line.
OUTSIDE = """
from dataclasses import replace
from llmseg import zoo

PIPELINE = replace(
    zoo.get("gpt-4"),
    id="toy-net",
    card=replace(zoo.get("gpt-4").card, name="Toy", vendor="Nobody", cohort=2026, in_study=False, published=None),
    recipe=zoo.TEXTBOOK.change("net", replace(zoo.TEXTBOOK.net, encoder=(2,), bottleneck=4, decoder=(2,))),
)
zoo.register(PIPELINE)
"""


def all_pipelines() -> list[Pipeline]:
    return [zoo.get(id) for id in EVERY_ID]


@pytest.fixture(autouse=True)
def _own_zoo(monkeypatch):
    monkeypatch.setattr("llmseg.zoo.registry._PIPELINES", dict(zoo.registry._PIPELINES))


class TestNames:
    def test_nineteen_in_the_study(self):
        assert len(zoo.names()) == len(set(zoo.names())) == 19
        assert all("@" not in id for id in zoo.names())
        assert all(zoo.get(id).card.in_study for id in zoo.names())

    @pytest.mark.parametrize("cohort", [2024, 2025])
    @pytest.mark.parametrize("reasoning", [True, False, None])
    @pytest.mark.parametrize("in_study", [True, False, None])
    def test_conditions(self, cohort, reasoning, in_study):
        found = zoo.names(cohort=cohort, reasoning=reasoning, in_study=in_study, variants=True)
        cards = {p.id: p.card for p in all_pipelines()}
        expected = {
            id
            for id, card in cards.items()
            if card.cohort == cohort
            and (reasoning is None or card.reasoning is reasoning)
            and (in_study is None or card.in_study is in_study)
        }
        assert set(found) == expected

    def test_vendor_by_its_beginning_in_any_case(self):
        vendors = {p.card.vendor for p in all_pipelines()}
        for vendor in vendors:
            found = zoo.names(vendor=vendor[:4].upper(), in_study=None)
            assert found
            assert all(zoo.get(id).card.vendor.lower().startswith(vendor[:4].lower()) for id in found)
        assert zoo.names(vendor="nobody") == ()

    def test_variants_have_a_tag_and_are_left_out(self):
        tagged = set(EVERY_ID) - set(zoo.names(in_study=None))
        assert tagged
        assert all("@" in id and id.partition("@")[0] in EVERY_ID for id in tagged)

    def test_older_cohort_first(self):
        cohorts = [zoo.get(id).card.cohort for id in zoo.names(in_study=None)]
        assert cohorts == sorted(cohorts)

    def test_every_golden_record_has_a_pipeline(self, golden_case):
        assert golden_case.pipeline.id in EVERY_ID


class TestGet:
    @pytest.mark.parametrize("id", EVERY_ID)
    def test_aliases(self, id):
        aliases = [id, id.upper(), id.title(), id.replace("-", "_"), id.replace("-", " "), id.replace(".", "")]
        assert {zoo.get(alias).id for alias in aliases} == {id}

    @pytest.mark.parametrize(("name", "id"), [("o3", "gpt-o3"), ("4o", "gpt-4o"), ("o1 preview", "gpt-o1-preview")])
    def test_without_the_vendors_word(self, name, id):
        assert zoo.get(name).id == id

    @pytest.mark.parametrize(
        ("name", "near"), [("gpt-4oo", "gpt-4o"), ("grok3mini2", "grok-3-mini"), ("lama-3.1", "lla")]
    )
    def test_unknown_names_answer_with_the_nearest(self, name, near):
        with pytest.raises(UserError) as error:
            zoo.get(name)
        message = str(error.value)
        assert f"no pipeline '{name}'; did you mean '{near}" in message
        assert all(id in message for id in zoo.names())
        assert "\n" not in message

    @pytest.mark.parametrize("name", ["", "@", "zzzzzz", "gpt-o3@green", "../gpt-4"[:3]])
    def test_nonsense(self, name):
        with pytest.raises(UserError, match="no pipeline"):
            zoo.get(name)


class TestRegister:
    @pytest.fixture
    def outside(self, tmp_path, monkeypatch):
        (tmp_path / "my_toy_pipeline.py").write_text(OUTSIDE)
        monkeypatch.syspath_prepend(tmp_path)
        yield importlib.import_module("my_toy_pipeline").PIPELINE
        del sys.modules["my_toy_pipeline"]

    def test_one_file_and_one_line_make_a_pipeline(self, outside):
        assert zoo.get("Toy Net") is outside
        assert "toy-net" in zoo.names(in_study=False)
        assert zoo.names(cohort=2026, in_study=None) == ("toy-net",)
        assert outside.id not in zoo.names()
        assert zoo.get("toy-net").build()(torch.rand(1, 1, 8, 8)).shape == (1, 1, 8, 8)
        assert Recipe.from_json(outside.recipe.to_json()) == outside.recipe

    @pytest.mark.parametrize("id", ["toy-net", "TOY_NET", "toynet"])
    def test_an_id_read_as_the_same_is_taken(self, outside, id):
        with pytest.raises(UserError, match=f"the id '{id}' is taken by toy-net; choose another"):
            zoo.register(dataclasses.replace(outside, id=id))

    def test_shipped_ids_are_taken(self):
        with pytest.raises(UserError, match="taken by gpt-4o"):
            zoo.register(dataclasses.replace(zoo.get("gpt-4"), id="GPT-4o"))

    def test_returns_the_pipeline(self, outside):
        other = dataclasses.replace(outside, id="toy-net@wide")
        assert zoo.register(other) is other
        assert "toy-net@wide" in zoo.all_names(reference=False)
        assert "toy-net@wide" not in zoo.names(in_study=None)


def test_folder_and_registry_are_the_same_set():
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(zoo.__path__, "llmseg.zoo.")]
    in_files = {v.id: v for m in modules for v in vars(m).values() if isinstance(v, Pipeline)}
    assert in_files == {id: zoo.get(id) for id in zoo.all_names()}
    with_pipeline = [m for m in modules if hasattr(m, "PIPELINE")]
    assert len({m.PIPELINE.id for m in with_pipeline}) == len(with_pipeline)
    for module in with_pipeline:
        name = module.__name__.rpartition(".")[2]
        assert zoo.get(name) is module.PIPELINE


@pytest.mark.parametrize("id", EVERY_ID)
class TestCards:
    def test_complete(self, id):
        card = zoo.get(id).card
        for field in ("name", "vendor", "published_for", "origin", "summary"):
            assert getattr(card, field).strip(), field
        assert card.cohort in (2024, 2025)
        assert (card.published is not None) == card.in_study
        assert all(edit.strip() for edit in card.author_edits)
        for disagreement in card.disagreements:
            assert all(str(value).strip() for value in dataclasses.asdict(disagreement).values())

    def test_text_is_text(self, id):
        """A tuple of one text without its comma is a text, and would be read letter by letter."""
        card = zoo.get(id).card
        assert isinstance(card.author_edits, tuple)
        assert isinstance(card.disagreements, tuple)
        assert all(isinstance(d, zoo.Disagreement) for d in card.disagreements)
        if card.published:
            assert all(isinstance(widths, tuple) for widths in (card.published.encoder, card.published.decoder))

    def test_variants_are_by_the_same_language_model(self, id):
        """Those of one framework are one pipeline in two states; other answers are pipelines of their own."""
        base, variant = zoo.get(id.partition("@")[0]), zoo.get(id)
        own = variant.card.framework != base.card.framework or "@run-" in id
        assert (variant.card == base.card) == (not own)
        for field in ("name", "vendor", "cohort", "in_study", "reasoning", "open_weights"):
            assert getattr(variant.card, field) == getattr(base.card, field)
        assert (variant.recipe == base.recipe) == (base.id == id)

    def test_every_block_has_an_original_name(self, id):
        """Scripts for another framework save no state dictionaries, so their blocks have none."""
        pipeline = zoo.get(id)
        assert bool(pipeline.original_names) == (pipeline.card.framework == "PyTorch")
        with torch.device("meta"):
            state = pipeline.build().state_dict()
        assert len(pipeline.to_original(state)) == len(state)
        assert pipeline.original_names or pipeline.to_original(state) == dict(state)
        used = {ours for ours, _ in pipeline.original_names if any(name.startswith(f"{ours}.") for name in state)}
        assert used == {ours for ours, _ in pipeline.original_names}


def test_parameters_fit_the_records(golden_case):
    pipeline, record = golden_case.pipeline, golden_case.record
    with torch.device("meta"):
        net = pipeline.build()
    assert sum(p.numel() for p in net.parameters()) == record["architecture"]["params_total"]
    assert pipeline.recipe.fit.epochs == record["published_epochs"]


def test_build_takes_the_channels_of_the_images():
    with torch.device("meta"):
        assert next(zoo.get("gpt-o3@rgb").build().parameters()).shape[1] == 3
        assert next(zoo.get("gpt-o3").build().parameters()).shape[1] == 1
        assert next(zoo.get("gpt-o3").build(in_channels=3).parameters()).shape[1] == 3


@pytest.mark.parametrize("heavy", ["torch", "monai", "timm", "matplotlib", "pandas", "sklearn", "cv2"])
def test_reading_the_zoo_loads_nothing_heavy(heavy, loaded_by_the_zoo):
    assert heavy not in loaded_by_the_zoo


@pytest.fixture(scope="module")
def loaded_by_the_zoo() -> set[str]:
    code = "import sys, llmseg.zoo; llmseg.zoo.get('gpt-4').recipe.to_json(); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr == ""
    modules = set(found.stdout.split())
    assert "llmseg.zoo" in modules
    return modules


RERUNS = [id for id in EVERY_ID if "@run-" in id]


class TestReruns:
    def test_ten_answers_of_two_models(self):
        assert [f"{model}@run-{n:02}" for model in ("gpt-4o", "gpt-o4-mini-high") for n in range(1, 11)] == RERUNS
        assert len({zoo.get(id).recipe for id in RERUNS}) == 20

    @pytest.mark.parametrize("id", RERUNS)
    def test_published_row(self, id):
        """Parameters, batch size, epochs and rate of the study's table of reruns are those of the recipe."""
        pipeline = zoo.get(id)
        published, fit = pipeline.card.published, pipeline.recipe.fit
        assert int(published.parameters.replace(",", "")) == pipeline.card.parameters
        assert (published.batch_size, published.epochs) == (fit.batch_size, fit.epochs)
        assert float(published.optimizer.partition("=")[2].rstrip(")")) == fit.rate
        assert ("Logits" in published.loss) == (pipeline.recipe.net.output == "logits")
        with torch.device("meta"):
            assert sum(p.numel() for p in pipeline.build().parameters()) == pipeline.card.parameters
