"""What is marked as unusual: quirks of the recipe where they are seen, and what the maps show beyond them."""

from __future__ import annotations

import pytest

from llmseg import zoo
from llmseg.figures.network.oddities import Oddity, Spot, find_oddities
from llmseg.figures.network.planning import plan_network
from llmseg.figures.network.trace import trace
from llmseg.recipe import Recipe


def oddities(recipe: Recipe) -> dict[str, Oddity]:
    plan = plan_network(trace(recipe.net, recipe.images.channels, recipe.images.size))
    return {oddity.name or oddity.sentence: oddity for oddity in find_oddities(recipe, plan)}


def test_the_textbook_has_none():
    assert oddities(zoo.TEXTBOOK) == {}


@pytest.mark.parametrize(
    ("changes", "name", "spots"),
    [
        (["net.pool_last=false", "net.mismatch=resize"], "unpooled-bottleneck", [Spot("entry", 4)]),
        (["net.pool_last=false", "net.mismatch=pad"], "centred-bottleneck", [Spot("entry", 5)]),
        (["net.pool_bottleneck=true", "net.mismatch=resize"], "pooled-bottleneck", [Spot("entry", 5)]),
        (
            ["net.pool_bottleneck=true", "net.mismatch=crop"],
            "cropped-skips",
            [Spot("skip", 0), Spot("skip", 1), Spot("skip", 2), Spot("skip", 3)],
        ),
        (
            ["net.skip_from=pooling", "net.mismatch=resize"],
            "skips-after-pooling",
            [Spot("skip", 0), Spot("skip", 1), Spot("skip", 2), Spot("skip", 3)],
        ),
        (["net.output=probability"], "double-sigmoid", [Spot("output")]),
        (["loss.reads=probability"], "missing-sigmoid", [Spot("output")]),
    ],
)
def test_quirks_of_a_u_net_are_marked_where_they_are_seen(changes, name, spots):
    recipe = zoo.TEXTBOOK
    for change in changes:
        recipe = recipe.change_text(change)
    assert list(oddities(recipe)[name].spots) == spots


def test_quirks_of_other_networks_are_marked_where_they_are_seen():
    bare = oddities(zoo.get("bing-copilot").recipe)
    assert bare["relu-before-sigmoid"].spots == (Spot("output"),)
    assert bare["no-skips"].spots == (Spot("middle"),)
    assert list(bare) == ["relu-before-sigmoid", "no-skips"]
    mended = zoo.get("bing-copilot").recipe.repaired("relu-before-sigmoid")
    assert oddities(mended)["one-channel-stage"].spots == (Spot("stage", 8),)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.names())
def test_every_quirk_of_a_network_in_the_study_is_marked_somewhere(name):
    recipe = zoo.get(name).recipe
    of_network = {quirk.id for quirk in recipe.quirks if quirk.change(recipe)[0].startswith("net.")}
    marked = oddities(recipe)
    assert of_network <= set(marked)
    assert all(oddity.spots for oddity in marked.values())


def test_repaired_recipes_have_nothing_left():
    for name in ("gpt-4o", "grok-3-mini", "gpt-4"):
        assert oddities(zoo.get(name).recipe.repaired("all")) == {}


class TestWithoutAQuirk:
    """Networks that have none of the fields that quirks ask for."""

    def test_skips_that_are_cut(self, foreign):
        found = oddities(foreign("cropped"))
        assert found["A skip is cut from 64 x 64 to 32 x 32."].spots == (Spot("skip", 0),)
        assert found["The output is 32 x 32, the image 64 x 64."].spots == (Spot("output"),)
        assert len(found) == 2

    def test_an_output_of_another_size(self):
        sentences = list(oddities(zoo.get("llama-3.1-405b").recipe))
        assert sentences == [
            "The output is 240 x 240, the image 256 x 256.",
            "No skip connects encoder and decoder.",
        ]

    def test_maps_that_are_cut(self):
        found = oddities(zoo.get("gemini-1.5-flash").recipe)
        assert found["The map that meets a skip is cut from 16 x 16 to 8 x 8."].spots == (Spot("entry", 6),)

    @pytest.mark.parametrize("name", ["plain", "two-us", "attention", "weighted"])
    def test_nothing_where_nothing_is_unusual(self, name, foreign):
        assert oddities(foreign(name)) == {}
