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

# Typed from the study's tables, not read from the cards.
REASONING_2024 = ("gpt-o1-preview",)
OTHERS_2024 = (
    "gpt-4",
    "gpt-4o",
    "claude-3.5-sonnet",
    "gemini-1.5-pro",
    "github-copilot",
    "bing-copilot",
    "llama-3.1-405b",
)
REASONING_2025 = (
    "gpt-o3",
    "gpt-o4-mini-high",
    "deepseek-r1",
    "claude-4-sonnet",
    "gemini-2.5-pro",
    "grok-3-mini",
    "llama-4-maverick",
    "mistral-medium-3",
    "qwen-3-235b",
)
OTHERS_2025 = ("deepseek-v3", "grok-3")
OUTSIDE_THE_STUDY = ("gemini-1.5-flash", "qwen-3-235b-no-thinking")

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


@pytest.fixture(autouse=True)
def _own_zoo(monkeypatch):
    monkeypatch.setattr("llmseg.zoo.registry._PIPELINES", dict(zoo.registry._PIPELINES))


class TestNames:
    def test_the_study(self):
        """The pipelines that the study compares, by its two cohorts; within one, by those it counts as reasoning."""
        assert zoo.names(cohort=2024) == OTHERS_2024[:2] + REASONING_2024 + OTHERS_2024[2:]
        assert set(zoo.names(cohort=2025)) == {*REASONING_2025, *OTHERS_2025}
        assert zoo.names() == (*zoo.names(cohort=2024), *zoo.names(cohort=2025))
        assert len(zoo.names()) == 19

    @pytest.mark.parametrize(
        ("conditions", "names"),
        [
            ({"cohort": 2024, "reasoning": True}, REASONING_2024),
            ({"cohort": 2024, "reasoning": False}, OTHERS_2024),
            ({"cohort": 2025, "reasoning": True}, REASONING_2025),
            ({"cohort": 2025, "reasoning": False}, OTHERS_2025),
            ({"reasoning": True}, (*REASONING_2024, *REASONING_2025)),
            ({"in_study": False}, OUTSIDE_THE_STUDY),
            ({"in_study": False, "reasoning": True}, ()),
            ({"in_study": False, "cohort": 2025}, OUTSIDE_THE_STUDY[1:]),
            ({"in_study": None, "cohort": 2025, "reasoning": False}, (*OTHERS_2025, *OUTSIDE_THE_STUDY[1:])),
            ({"in_study": False, "variants": True}, OUTSIDE_THE_STUDY),
            ({"cohort": 2025, "reasoning": False, "variants": True}, OTHERS_2025),
            ({"cohort": 2024, "reasoning": True, "variants": True}, (*REASONING_2024, "gpt-o1-preview@tensorflow")),
        ],
    )
    def test_conditions(self, conditions, names):
        assert set(zoo.names(**conditions)) == set(names)
        assert len(zoo.names(**conditions)) == len(names)

    def test_variants(self):
        """Those in colour, ten more answers of two models, and one in TensorFlow of each model of 2024."""
        variants = {name for name in zoo.all_names() if "@" in name}
        assert variants == {
            "gpt-o3@rgb",
            "gpt-o4-mini-high@rgb",
            *(f"{name}@run-{run:02}" for name in ("gpt-4o", "gpt-o4-mini-high") for run in range(1, 11)),
            *(f"{name}@tensorflow" for name in (*REASONING_2024, *OTHERS_2024)),
        }
        assert set(zoo.names(variants=True)) == {*zoo.names(), *variants}
        assert set(zoo.all_names(reference=False)) == {*zoo.names(), *variants, *OUTSIDE_THE_STUDY}
        assert set(zoo.all_names()) == {*zoo.all_names(reference=False), *zoo.names(reference=True)}
        assert zoo.all_names(reference=True) == zoo.names(reference=True)
        assert zoo.all_names(quirk="dice-added") == ("gpt-4o@tensorflow",)

    def test_vendor_by_its_beginning_in_any_case(self):
        vendors = {zoo.get(id).card.vendor for id in EVERY_ID}
        for vendor in vendors:
            found = zoo.names(vendor=vendor[:4].upper(), in_study=None)
            assert found
            assert all(zoo.get(id).card.vendor.lower().startswith(vendor[:4].lower()) for id in found)
        assert zoo.names(vendor="nobody") == ()

    def test_older_cohort_first(self):
        cohorts = [zoo.get(id).card.cohort for id in zoo.names(in_study=None)]
        assert cohorts == sorted(cohorts)


class TestGet:
    def test_capitals_blanks_dots_and_underscores_do_not_matter(self):
        for id in EVERY_ID:
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
        more = len(zoo.all_names()) - len(zoo.names())
        assert f"{more} more: llmseg list --all" in message

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


def test_reading_the_zoo_loads_nothing_heavy():
    """In a process of its own, as this one has loaded everything."""
    code = "import sys, llmseg.zoo; llmseg.zoo.get('gpt-4').recipe.to_json(); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr == ""
    modules = set(found.stdout.split())
    assert "llmseg.zoo" in modules
    assert modules & {"torch", "monai", "timm", "matplotlib", "pandas", "sklearn", "cv2"} == set()
