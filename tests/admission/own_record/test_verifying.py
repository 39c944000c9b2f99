"""The split of an own record: drawn from the cases in the order in which a folder listed them."""

from __future__ import annotations

import pytest
import torch

from llmseg import zoo
from llmseg.admission.own_record.verifying import draw_recorded_split

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
