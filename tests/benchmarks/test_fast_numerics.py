from __future__ import annotations

import pytest
import torch

from llmseg.data import prepare_cases
from llmseg.training import EXACT_NUMERICS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def fast_numerics(module):
    return module("fast_numerics")


def test_a_twin_of_the_same_numerics_is_the_same(fast_numerics, tiny_recipe, phantoms):
    prepared = prepare_cases(phantoms, tiny_recipe.images)
    first, second = (fast_numerics.train_twin(tiny_recipe, prepared, 1, EXACT_NUMERICS, CPU) for _ in range(2))
    assert first == second
    assert len(first.steps) == 5 * tiny_recipe.fit.epochs
    assert fast_numerics.measure_distance([first], [second]) == 0


def test_a_planted_change_moves_every_step_but_the_first(fast_numerics, tiny_recipe, phantoms):
    prepared = prepare_cases(phantoms, tiny_recipe.images)
    planted = tiny_recipe.change("fit.rate", tiny_recipe.fit.rate * fast_numerics.PLANTED)
    a, b = (fast_numerics.train_twin(recipe, prepared, 1, EXACT_NUMERICS, CPU) for recipe in (tiny_recipe, planted))
    assert a.steps[0] == b.steps[0]
    assert all(x != y for x, y in zip(a.steps[1:], b.steps[1:], strict=True))
    assert fast_numerics.measure_distance([a], [b]) > 0


def test_distance_is_the_median(fast_numerics):
    def curve(*steps):
        return fast_numerics.Curve(steps, (), (), 0.0)

    assert fast_numerics.measure_distance([curve(9, 2, 4, 5)], [curve(1, 1, 5, 5)]) == 0.25
