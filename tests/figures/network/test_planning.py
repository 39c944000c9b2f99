"""Stages and skips, found from what networks compute."""

from __future__ import annotations

import pytest

from llmseg import zoo
from llmseg.figures.network.planning import plan_network
from llmseg.figures.network.stages import Plan, Skip
from llmseg.figures.network.trace import trace
from llmseg.recipe import Recipe


def plan(recipe: Recipe) -> Plan:
    return plan_network(trace(recipe.net, recipe.images.channels, recipe.images.size))


@pytest.mark.parametrize("name", ["gpt-o3", "deepseek-r1", "github-copilot", "gpt-4@tensorflow"])
def test_channels_and_parameters_are_those_of_the_card(name):
    pipeline = zoo.get(name)
    found = plan(pipeline.recipe)
    assert found.parameters == pipeline.card.parameters
    assert found.image[0] == pipeline.recipe.images.channels
    assert found.output[0] == 1


@pytest.mark.slow
def test_a_residual_connection_is_no_skip():
    found = plan(zoo.get("monai-dynunet").recipe)
    assert len(found.skips) == 5
    assert all(skip.how == "concatenated" for skip in found.skips)
    assert [stage.inner for stage in found.stages[: found.bottom + 1]] == [("added",)] * 6


def test_skips_that_are_added_and_taken_after_the_pooling():
    found = plan(zoo.get("github-copilot").recipe)
    assert {(skip.how, skip.at_entry) for skip in found.skips} == {("added", True)}
    assert [(skip.source, skip.target) for skip in found.skips] == [(3, 5), (2, 6), (1, 7)]


def test_convolutions_without_padding_do_not_end_a_stage():
    found = plan(zoo.get("llama-3.1-405b").recipe)
    assert [stage.size for stage in found.stages] == [(n, n) for n in (254, 125, 60, 30, 60, 120, 240)]
    assert found.stages[0].layers[0].name == "3x3 convolution, unpadded, ReLU"


class TestFromElsewhere:
    def test_one_stage(self, foreign):
        found = plan(foreign("plain"))
        assert ([stage.size for stage in found.stages], found.skips) == ([(64, 64)], ())

    def test_two_us_are_no_u(self, foreign):
        found = plan(foreign("two-us"))
        assert not found.is_u
        assert [(skip.source, skip.target) for skip in found.skips] == [(0, 2), (2, 4)]

    def test_words_of_attention_are_no_maps(self, foreign):
        found = plan(foreign("attention"))
        assert [stage.size for stage in found.stages][-1] == (16, 16)
        assert found.tail == ("1x1 convolution", "bilinear enlargement")

    def test_weights_for_maps_are_not_on_the_way(self, foreign):
        found = plan(foreign("weighted"))
        assert [stage.inner for stage in found.stages] == [("multiplied",)]
        assert [layer.channels for layer in found.stages[0].layers] == [8]

    def test_a_skip_keeps_both_of_its_sizes(self, foreign):
        (skip,) = plan(foreign("cropped")).skips
        assert skip == Skip(0, 2, "concatenated", False, (64, 64), (32, 32), False, 0)

    def test_a_network_that_looks_at_numbers(self, foreign):
        assert plan(foreign("looking")).output == (1, 64, 64)
