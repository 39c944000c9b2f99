"""Data and losses of an own record: cases in the order in which a folder listed them, masks as the loss met them."""

from __future__ import annotations

import pytest
import torch

from llmseg import zoo
from llmseg.admission.own_record.verifying import _check_objective, _match, draw_recorded_split
from llmseg.fidelity.compare import Comparison, Divergence
from llmseg.recipe.dice import match_sizes

IDS = [f"{number:03d}.png" for number in range(20)]
LISTED = IDS[7:] + IDS[:7]
RECIPE = zoo.get("bing-copilot").recipe


def split(order):
    drawn = RECIPE.split(order, torch.Generator().manual_seed(0))
    parts = {"train": drawn.train, "val": drawn.validation, "test": drawn.test}
    return {name: sorted(ids) for name, ids in parts.items()}


@pytest.mark.parametrize("order", [IDS, LISTED])
def test_an_order_in_which_the_cases_were_listed_counts(order):
    record = {"seed": 0, "listings": [LISTED], "split": split(order)}
    assert draw_recorded_split(RECIPE, record, IDS, (64, 64)) == split(order)


@pytest.mark.parametrize("listings", [{}, {"listings": [LISTED]}])
def test_parts_that_no_order_gives(listings):
    record = {"seed": 0, "split": split(IDS[::-1]), **listings}
    drawn = draw_recorded_split(RECIPE, record, IDS, (64, 64))
    assert drawn == split(IDS)
    assert drawn != record["split"]


@pytest.mark.parametrize(("sizes", "side"), [("mask-to-output", 24), ("equal", 32), ("output-to-mask", 32)])
def test_a_mask_is_compared_as_the_loss_met_it(sizes, side):
    recipe = RECIPE.change("loss.sizes", sizes)
    mask = (torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    met = _match(recipe, mask, (24, 24))
    assert met.shape == (1, side, side)
    if side == 32:
        assert met is mask
    else:
        assert torch.equal(met, match_sizes(torch.zeros(1, 1, 24, 24), mask[None], "mask-to-output")[1][0])


def test_a_loss_in_validation_is_that_of_validation():
    drawn = torch.rand(2, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    output, masks = drawn[0], drawn[1].clone()  # grey masks, which only the validation makes binary
    recipe = zoo.get("gpt-4").recipe.change("loss.validation_threshold", 0.5)
    loss = recipe.loss(output, masks, validating=True).item()
    entries = [{"part": "validation", "loss": {"sum": loss}, "more": {}}]
    met = {"00.output": output.numpy(), "00.masks": masks.numpy()}
    comparison = Comparison()
    _check_objective(recipe, entries, met, comparison)
    assert comparison.count == 1
    with pytest.raises(Divergence, match="loss in validation: expected"):
        _check_objective(recipe.change("loss.validation_threshold", None), entries, met, Comparison())
