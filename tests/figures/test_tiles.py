"""Masks side by side, read from what was drawn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from llmseg import UserError
from llmseg.figures.style import AGREEMENT, rgb
from llmseg.figures.tiles import PredictedCase, prediction_panels, worst_cases


def predicted(name, dice, dataset="Skin"):
    image, truth = np.full((30, 40), 90, np.uint8), np.zeros((30, 40), bool)
    truth[10:20, 10:20] = True
    return PredictedCase(name, dataset, "c1", 0, image, truth, np.zeros_like(truth), dice)


def test_every_contender_has_a_tile_with_its_dice_and_what_lacks_is_marked():
    masks = [predicted("gpt-4", 0.25), predicted("gpt-o3", 0.5), predicted("monai-basic-unet", 0.75)]
    figure = prediction_panels([*masks, predicted("gpt-o3", 0.125, "Brain"), predicted("gpt-4", 0.0, "Brain")])
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    numbers = [text for text in texts if text.startswith("0.")]
    assert numbers == ["0.250", "0.750", "0.000", "0.500", "0.750", "0.125"]
    assert texts.count("none") == 2  # the reference has no mask of Brain, and stands in both blocks
    assert len(axes.images) == 2 * 2 * 2 + len(numbers)
    left, right, bottom, top = axes.images[0].get_extent()
    assert (right - left) / (bottom - top) == pytest.approx(40 / 30)
    missed = np.array(axes.images[2].get_array())
    assert (missed[10, 10] == rgb(AGREEMENT["missed"])).all()


def test_tiles_do_not_overlap():
    masks = [predicted(name, 0.5) for name in ("gpt-4", "gpt-4o", "github-copilot", "bing-copilot")]
    extents = sorted(tuple(image.get_extent()) for image in prediction_panels(masks).axes[0].images)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(extents))


def test_the_worst_comes_first():
    axes = worst_cases([predicted("gpt-4", 0.5), predicted("gpt-o3", 0.125)]).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts[:4] == ["GPT o3", "0.125  Skin c1", "GPT-4", "0.500  Skin c1"]


def test_nothing_to_draw_is_told():
    with pytest.raises(UserError, match="no predictions"):
        prediction_panels([])
