from __future__ import annotations

import pytest
import torch

from llmseg.data.prepared_cases import prepare_cases
from llmseg.training.numerics import EXACT_NUMERICS


@pytest.fixture(scope="module")
def equivalence(module):
    return module("equivalence")


def test_a_twin_of_the_same_numerics_is_the_same(equivalence, tiny_recipe, phantoms):
    prepared = prepare_cases(phantoms, tiny_recipe.images)
    first, second = (equivalence.curve(tiny_recipe, prepared, 1, EXACT_NUMERICS, torch.device("cpu")) for _ in range(2))
    assert first == second
    assert len(first.steps) == 5 * tiny_recipe.fit.epochs
    assert equivalence.distance([first], [second]) == 0


def test_a_planted_change_moves_every_step_but_the_first(equivalence, tiny_recipe, phantoms):
    prepared = prepare_cases(phantoms, tiny_recipe.images)
    planted = tiny_recipe.change("fit.rate", tiny_recipe.fit.rate * equivalence.PLANTED)
    a, b = (
        equivalence.curve(recipe, prepared, 1, EXACT_NUMERICS, torch.device("cpu")) for recipe in (tiny_recipe, planted)
    )
    assert a.steps[0] == b.steps[0]
    assert all(x != y for x, y in zip(a.steps[1:], b.steps[1:], strict=True))
    assert equivalence.distance([a], [b]) > 0


def test_distance_is_the_median(equivalence):
    def curve(*steps):
        return equivalence.Curve(steps, (), (), 0.0)

    assert equivalence.distance([curve(9, 2, 4, 5)], [curve(1, 1, 5, 5)]) == 0.25
