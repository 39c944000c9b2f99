from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.recipe.fit import Cosine


@pytest.mark.parametrize(("warmup", "final"), [(-1, 0.0), (0, 1.5), (0, -0.1)])
def test_a_cosine_out_of_range_is_refused(warmup, final):
    with pytest.raises(UserError, match="the warm-up must not be negative"):
        Cosine(warmup=warmup, final=final)


def test_a_shuffle_buffer_holds_at_least_one_batch(tiny_recipe):
    with pytest.raises(UserError, match=r"fit\.fixed_batches is 0"):
        tiny_recipe.change("fit.fixed_batches", 0)
