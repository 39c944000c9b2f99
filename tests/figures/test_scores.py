"""Scores as box plots and clouds need them."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg.figures.contenders import look_up_contenders
from llmseg.figures.scores import scores_by_dataset
from llmseg.stats import Table


def test_values_hold_all_seeds_and_means_average_over_them(table):
    skin, brain = scores_by_dataset(table, "dice", "test")
    assert (skin.dataset, brain.dataset) == ("Skin", "Brain")
    rows = table.frame.query("dataset == 'Skin' and pipeline == 'gpt-o3'")
    assert sorted(skin.values["gpt-o3"]) == sorted(rows["value"])
    assert skin.means["gpt-o3"] == pytest.approx(rows.groupby("case")["value"].mean())
    assert skin.counts == "12 cases, 2 seeds"


def test_the_order_is_references_then_the_best_median_then_names(table):
    (skin, _) = scores_by_dataset(table, "dice", "test")
    contenders = look_up_contenders(table.contenders)
    more, less = (skin.order(contenders, direction) for direction in (1.0, -1.0))
    assert more[0] == less[0] == "monai-basic-unet"
    medians = [np.median(skin.values[name]) for name in more[1:]]
    assert medians == sorted(medians, reverse=True)
    for order in (more, less):  # these two have the same scores
        assert order.index("gpt-4o") == order.index("gpt-4") + 1


def test_undefined_scores_are_counted_and_a_dataset_without_scores_is_left_out(table):
    frame = table.frame.assign(measure="false_positive_area")
    undefined = (frame["dataset"] == "Brain") | ((frame["pipeline"] == "gpt-4") & (frame["case"] == "c00"))
    (skin,) = scores_by_dataset(
        Table(frame.assign(value=frame["value"].mask(undefined))), "false_positive_area", "test"
    )
    assert skin.counts == "11 to 12 cases, 2 seeds, 2 undefined"
