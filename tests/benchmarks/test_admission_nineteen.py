"""What is found out about the scripts of the study; ``benchmarks/results/admission_nineteen.json`` holds it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmseg import zoo

ROOT = Path(__file__).parents[2]
FACTS = {
    "parameters": 7696193,
    "batch_size": 16,
    "epochs": 25,
    "optimizer": "Adam",
    "rate": 0.001,
    "loss": {"terms": {"bce": 1.0}, "reads": "logits"},
    "split": {"training": 0.8, "validation": 0.1, "test": 0.1},
}


@pytest.fixture
def nineteen(module):
    return module("admission_nineteen")


@pytest.fixture(scope="module")
def results():
    text = (ROOT / "benchmarks" / "results" / "admission_nineteen.json").read_text(encoding="utf-8")
    return json.loads(text)


def admitted(**changes):
    known = {"facts": FACTS, "recipe": zoo.get("gpt-4").recipe, "foreign": {}, **changes}
    return SimpleNamespace(**known)


def test_a_recipe_that_is_equal(nineteen):
    found = nineteen.compare(admitted(), "gpt-4")
    assert (found["facts_wrong"], found["difference"]) == ({}, {})
    assert found["quirks_found"] == found["quirks_expected"] != []


def test_what_differs_is_named_and_what_gives_the_same_is_told_apart(nineteen):
    recipe = zoo.get("gpt-4").recipe.change("fit.rate", 0.5)
    found = nineteen.compare(admitted(recipe=recipe, facts={**FACTS, "rate": 0.5}), "gpt-4")
    assert found["facts_wrong"] == {"rate": [0.001, 0.5]}
    assert (list(found["difference"]), found["gives_the_same"]) == (["fit.rate"], [])
    images = replace(zoo.get("deepseek-v3").recipe.images, threshold_when="after-resize")
    found = nineteen.compare(admitted(recipe=zoo.get("deepseek-v3").recipe.change("images", images)), "deepseek-v3")
    assert found["gives_the_same"] == list(found["difference"]) == ["images.threshold_when"]


def test_without_a_recipe_the_facts_count(nineteen):
    found = nineteen.compare(admitted(recipe=None, foreign={"net": "no network"}), "gpt-4")
    assert (found["facts_wrong"], found["has_recipe"], found["quirks_found"]) == ({}, False, [])


def test_the_results_hold_each_pipeline_once(nineteen, results):
    assert [each["id"] for each in results["pipelines"]] == list(zoo.names())
    assert results["counts"] == nineteen.count(results["pipelines"])


def test_the_page_has_the_figures_of_the_results(results):
    page = (ROOT / "docs" / "explanation" / "observation.md").read_text(encoding="utf-8")
    stated = re.findall(
        r"^\| `([\w.-]+)` \| ([\w ]+) \| (\d+) of 7 \| ([\w -]+) \| (\d+) of (\d+) \|$", page, re.MULTILINE
    )
    assert [(name, stage, int(facts), int(found), int(of)) for name, stage, facts, _, found, of in stated] == [
        (
            each["id"],
            each["stage"],
            len(each["facts_right"]),
            len(set(each["quirks_found"]) & set(each["quirks_expected"])),
            len(each["quirks_expected"]),
        )
        for each in results["pipelines"]
    ]
    words = [words for _, _, _, words, _, _ in stated]
    counts = results["counts"]
    assert words.count("equal") == counts["recipe_equal"]
    assert words.count("equal") + words.count("gives the same") == counts["recipe_gives_the_same"]
