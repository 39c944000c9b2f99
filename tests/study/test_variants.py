from __future__ import annotations

import itertools

import pytest
import torch

from llmseg import UserError, zoo
from llmseg.study import ablations, pipelines, repairs, transplants
from llmseg.study.variants import PARTS, transplanted

NAMES = zoo.names()
PAIRS = [*itertools.pairwise(NAMES), ("gpt-4o", "gemini-2.5-pro"), ("llama-3.1-405b", "grok-3-mini")]


def test_one_field_at_a_time_or_all_combinations(tiny_recipe):
    fields = {"fit.batch_size": [2, 4], "fit.epochs": [1, 2, 3]}
    single = ablations(tiny_recipe, fields)
    assert [v.name for v in single] == ["base", "fit.batch_size=2", "fit.epochs=1", "fit.epochs=3"]
    for variant in single[1:]:
        assert [d.path for d in tiny_recipe.diff(variant.recipe)] == [variant.name.partition("=")[0]]
    crossed = ablations(tiny_recipe, fields, crossed=True)
    assert len(crossed) == 6
    assert crossed[1].name == "fit.batch_size=2 fit.epochs=1"


def test_what_changes_nothing_is_left_out_with_a_word(tiny_recipe, caplog):
    with caplog.at_level("INFO", logger="llmseg"):
        made = ablations(tiny_recipe, {"fit.batch_size": [4, 2], "fit.epochs": [2, 3]})
    assert [variant.name for variant in made] == ["base", "fit.batch_size=2", "fit.epochs=3"]
    assert caplog.messages == [
        "note: fit.batch_size=4, fit.epochs=2: equal to the base or to another variant, so left out"
    ]
    caplog.clear()
    with caplog.at_level("INFO", logger="llmseg"):
        transplants(zoo.get("gpt-4").recipe, zoo.get("gpt-o3").recipe, ["net", "loss"], "gpt-o3")
        ablations(tiny_recipe, {"fit.epochs": [3]})
    assert caplog.messages == ["note: loss of gpt-o3: equal to the base or to another variant, so left out"]


@pytest.mark.parametrize("name", zoo.names())
def test_each_repair_changes_one_field(name):
    recipe = zoo.get(name).recipe
    if not recipe.quirks:
        with pytest.raises(UserError, match="nothing changes"):
            repairs(recipe, "each")
        return
    for variant in repairs(recipe, "each")[1:]:
        assert len(recipe.diff(variant.recipe)) == 1
    assert repairs(recipe, "all")[1].recipe.quirks == ()
    first = recipe.quirks[0].id
    assert repairs(recipe, first) == repairs(recipe, "each")[:2]


def test_parts_of_another_recipe():
    recipe, donor = zoo.get("gpt-4").recipe, zoo.get("grok-3").recipe
    variants = transplants(recipe, donor, ["net", "loss"], "grok-3")
    assert [v.name for v in variants] == ["base", "net of grok-3", "loss of grok-3"]
    assert variants[1].recipe == recipe.change("net", donor.net).change("net.output", recipe.net.output)
    assert variants[2].recipe == recipe.change("loss", donor.loss).change("net.output", donor.net.output)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r: ablations(r, {"fit.epochs": [r.fit.epochs]}), "nothing changes"),
        (lambda r: ablations(r, {"fit.epoch": [1]}), "did you mean"),
        (lambda r: repairs(r, "double-sigmod"), "did you mean 'double-sigmoid'"),
        (lambda r: transplants(r, r, ["nets"], "itself"), "did you mean 'net'"),
        (lambda r: transplants(r, r, ["net"], "itself"), "nothing changes"),
    ],
)
def test_impossible_variants_are_refused(tiny_recipe, make, words):
    with pytest.raises(UserError, match=words):
        make(tiny_recipe)


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("parts", [["net"], ["loss"], ["net", "loss"]])
def test_a_recipe_with_parts_of_another_can_be_trained(left, right, parts):
    """Network and loss of any two pipelines, on a batch of the size that the images have."""
    recipe = transplanted(zoo.get(right).recipe, zoo.get(left).recipe, parts)
    with torch.device("meta"):
        output = recipe.net.build(1)(torch.zeros(2, 1, 64, 64))
    probability = recipe.net.output == "probability"
    output = torch.full(output.shape, 0.5 if probability else 0.0, requires_grad=True)
    loss = recipe.loss(output, torch.ones(2, 1, 64, 64))
    loss.backward()
    assert torch.isfinite(loss)
    assert output.grad.abs().sum() > 0


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_with_all_parts_of_another_it_is_the_other_recipe(left, right):
    recipe, other = zoo.get(left).recipe, zoo.get(right).recipe
    assert transplanted(recipe, other, PARTS) == other
    assert transplanted(recipe, other, ()) == recipe


def test_pipelines_by_name_and_pattern():
    assert [v.name for v in pipelines(["gpt-o3", "GPT 4o", "gpt-o3*"])] == ["gpt-o3", "gpt-4o", "gpt-o3@rgb"]
    assert pipelines(["gpt-4"])[0].recipe == zoo.get("gpt-4").recipe
    with pytest.raises(UserError, match="no pipeline fits 'gtp-"):
        pipelines(["gtp-*"])
