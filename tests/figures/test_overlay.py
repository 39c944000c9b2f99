"""Colours of agreement on an image."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg import UserError
from llmseg.figures.overlay import FILL, draw_overlay
from llmseg.figures.style import AGREEMENT, rgb


@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_pixel_has_the_colour_of_its_agreement(channels):
    image = np.full((20, 30, *channels), 80, np.uint8)
    truth, predicted = np.zeros((2, 20, 30), bool)
    truth[4:16, 4:16], predicted[4:16, 10:24] = True, True
    kept = image.copy()
    drawn = draw_overlay(image, truth, predicted)
    assert drawn.dtype == np.uint8
    assert (image == kept).all()
    assert (drawn[~truth & ~predicted] == 80).all()
    for name, (row, edge, inside) in {"missed": (9, 4, 7), "agreed": (9, 10, 13), "false": (9, 23, 20)}.items():
        colour = np.array(rgb(AGREEMENT[name]))
        assert (drawn[row, edge] == colour).all()
        assert (drawn[row, inside] == np.round((1 - FILL) * 80 + FILL * colour)).all()


def test_a_region_that_the_image_cuts_off_stays_open_there():
    everything = np.ones((8, 8), bool)
    drawn = draw_overlay(np.zeros((8, 8), np.uint8), everything, everything)
    assert (drawn == drawn[0, 0]).all()
    assert (drawn[0, 0] < rgb(AGREEMENT["agreed"])).all()


@pytest.mark.parametrize(
    ("image", "truth", "said"),
    [
        (np.zeros((4, 4)), np.zeros((4, 4), bool), "image is float64"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), "truth is uint8"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 5), bool), r"truth is bool \[4, 5\]; give bool \[4, 4\]"),
    ],
)
def test_what_does_not_fit_is_refused(image, truth, said):
    with pytest.raises(UserError, match=said):
        draw_overlay(image, truth, np.zeros((4, 4), bool))
