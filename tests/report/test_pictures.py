"""Cases at full size, and drawings of networks."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from llmseg.figures.overlay import draw_agreement, draw_overlay
from llmseg.report.pictures import draw_networks
from llmseg.report.profiles import look_up_profiles


def test_masks_laid_over_the_image_are_the_overlay():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (40, 50, 3), np.uint8)
    truth, predicted = random.random((2, 40, 50)) > 0.5
    over = draw_agreement(truth, predicted).astype(float)
    opacity = over[..., 3:] / 255
    laid = (1 - opacity) * image + opacity * over[..., :3]
    assert np.abs(laid - draw_overlay(image, truth, predicted)).max() <= 2


def test_networks_are_drawn_where_the_recipe_is_known(tmp_path):
    profiles = look_up_profiles(["gpt-o3", "ours"], ())
    told = []
    drawn = draw_networks(profiles, tmp_path, told.append)
    assert [*drawn] == ["gpt-o3"]
    assert len(told) == 2
    picture = drawn["gpt-o3"]
    root = ElementTree.parse(tmp_path / picture.path).getroot()
    sides = [float(root.get(side).removesuffix("pt")) / 72 * 96 for side in ("width", "height")]
    assert sides == pytest.approx([picture.width, picture.height], abs=1)


def test_a_network_that_cannot_be_drawn_is_left_out(tmp_path):
    profile = look_up_profiles(["gpt-o3"], ())["gpt-o3"]
    # Images of 8 pixels are too small for its four halvings.
    small = replace(profile, recipe=profile.recipe.change("images.size", (8, 8)))
    assert draw_networks({"gpt-o3": small}, tmp_path, lambda _: None) == {}


@pytest.mark.slow
def test_every_picture_opens_the_case_with_and_without_masks(pages, run_report):
    found = pages(run_report.folder)
    opened = set()
    for path, page in found.items():
        for tag, attributes in page.tags:
            if tag == "a" and "cases/" in attributes.get("href", ""):
                target, _, anchor = attributes["href"].partition("#")
                goal = (path.parent / target).resolve()
                assert anchor in found[goal].values("id")
                opened.add(goal)
    assert opened == {path for path in found if path.parent.name == "cases"}
    for path in opened:
        sources = [(path.parent / src).resolve() for src in found[path].values("src") if src.endswith(".png")]
        images = {Image.open(source).mode for source in sources}
        assert len(images) == 2
        assert "RGBA" in images
        assert len({Image.open(source).size for source in sources}) == 1
