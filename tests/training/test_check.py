"""What cannot be trained is refused before anything is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from llmseg import UserError, hold_out, run_study, zoo
from llmseg.study import Variant
from llmseg.training.check import check_batch, check_recipe
from llmseg.training.loop import draw_start
from llmseg.training.train import train


def test_a_recipe_that_can_be_trained_passes_and_leaves_no_trace(tiny_recipe, phantoms):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    check_recipe(tiny_recipe, phantoms)
    assert torch.equal(torch.get_rng_state(), state)
    net = draw_start(tiny_recipe, phantoms.ids, 0, (32, 32))[1].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    check_batch(tiny_recipe, net, (torch.rand(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)), phantoms.ids)
    assert not net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def refusal(call: Callable[[], object]) -> str:
    """Return the message of the UserError that a call raises, or an empty text."""
    try:
        call()
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "id",
    [
        *("gpt-o3", "gpt-4o"),
        *(pytest.param(id, marks=pytest.mark.slow) for id in ("gpt-4", "github-copilot", "claude-4-sonnet", "grok-3")),
    ],
)
@pytest.mark.parametrize(("size", "batch"), [((4, 4), 4), ((8, 8), 5), ((16, 16), 5), ((50, 70), 4), ((16, 16), 1)])
def test_small_and_odd_sizes_are_trained_or_refused_in_one_line(id, size, batch, phantoms, tmp_path):
    recipe = zoo.get(id).recipe.change("images.size", size).change("fit.batch_size", batch).change("fit.epochs", 1)
    said = refusal(lambda: check_recipe(recipe, phantoms))
    assert "\n" not in said
    # Where it passes, training takes long; one that is small enough shows that it does not fail later.
    if said or size == (16, 16):
        assert refusal(lambda: train(recipe, phantoms, tmp_path / "run", device="cpu", progress=False)) == said
        assert (tmp_path / "run").exists() == (not said)


def test_all_contenders_are_checked_before_the_first_trains(tiny_recipe, phantoms, tmp_path):
    tiny = tiny_recipe.change("fit.epochs", 1)
    many = tiny.change("fit.batch_size", 500).change("fit.drop_last", True)
    small = zoo.get("gpt-4").recipe.change("images.size", (4, 4))
    variants = [Variant("good", tiny), Variant("many", many), Variant("small", small)]
    with pytest.raises(UserError) as refused:
        run_study(None, variants, phantoms, tmp_path / "s", holdout=hold_out(phantoms), device="cpu", progress=False)
    assert "many: the split leaves" in str(refused.value)
    assert "small: the network cannot be trained on images of 4x4" in str(refused.value)
    assert "good" not in str(refused.value)
    assert not (tmp_path / "s").exists()
