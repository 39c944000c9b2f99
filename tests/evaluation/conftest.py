from __future__ import annotations

import numpy as np
import pytest

SHAPE = (48, 40)


def _disc(row: int, column: int, radius: int) -> np.ndarray:
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def _speckles(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(SHAPE) > 0.9


EMPTY, FULL = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)
PAIRS = {
    "equal": (_disc(20, 20, 8), _disc(20, 20, 8)),
    "shifted": (_disc(22, 21, 8), _disc(20, 20, 8)),
    "smaller": (_disc(20, 20, 4), _disc(20, 20, 9)),
    "touching the border": (_disc(0, 0, 9), _disc(3, 2, 9)),
    "far false positives": (_disc(20, 20, 8) | _disc(46, 38, 1), _disc(20, 20, 8)),
    "apart": (_disc(5, 5, 3), _disc(40, 34, 3)),
    "two objects, one missed": (_disc(10, 10, 5), _disc(10, 10, 5) | _disc(38, 30, 6)),
    "speckles": (_speckles(0), _speckles(1)),
    "one pixel": (_disc(3, 3, 0), _disc(9, 3, 0)),
    "full against disc": (FULL, _disc(20, 20, 8)),
    "full": (FULL, FULL),
}
EMPTY_PAIRS = {
    "both empty": (EMPTY, EMPTY),
    "missed": (EMPTY, _disc(20, 20, 8)),
    "false alarm": (_disc(20, 20, 8), EMPTY),
    "false alarm everywhere": (FULL, EMPTY),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    """Prediction and reference, neither of them empty."""
    return PAIRS[request.param]


@pytest.fixture(scope="session")
def every_pair():
    """Predictions and references, every empty case among them."""
    return [*PAIRS.values(), *EMPTY_PAIRS.values()]
