"""Colours that readers with any colour vision tell apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.color import rgb2lab

from llmseg.figures.style import AGREEMENT, COHORTS, GREY, LINES, rgb

# How colours look without one kind of cone: Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def seen(colour, vision):
    """Return a colour as it is seen, in CIE Lab."""
    bytes_ = np.array(rgb(colour)) / 255
    linear = np.where(bytes_ <= 0.04045, bytes_ / 12.92, ((bytes_ + 0.055) / 1.055) ** 2.4)
    moved = np.clip(np.array(VISIONS[vision]) @ linear, 0, 1)
    return rgb2lab(np.where(moved <= 0.0031308, 12.92 * moved, 1.055 * moved ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(
    ("colours", "least"),
    [(AGREEMENT.values(), 30), ([*COHORTS.values(), GREY], 25), (LINES, 9)],
    ids=["agreement", "cohorts", "lines"],
)
def test_colours_are_apart(colours, least, vision):
    """A difference of 2.3 in CIE Lab is one that can just be seen, of areas side by side."""
    differences = [
        np.linalg.norm(seen(one, vision) - seen(other, vision)) for one, other in itertools.combinations(colours, 2)
    ]
    assert min(differences) > least
