"""Interactive plots as plain values."""

from __future__ import annotations

import json

import numpy as np
import pytest

from llmseg.report.plots import box_plot
from llmseg.report.profiles import look_up_profiles
from llmseg.report.standings import standing
from llmseg.stats import Table


@pytest.fixture(scope="module")
def skin(scores):
    return Table(scores[scores["dataset"] == "Skin"])


@pytest.fixture(scope="module")
def plot(skin):
    return box_plot(skin, standing(skin, "dice", "test"), look_up_profiles(skin.contenders, ()), "Dice")


def test_boxes_hold_the_means_of_cases_best_contender_on_top(plot, skin):
    frame = skin.frame
    best = frame.groupby("pipeline")["value"].mean().idxmax()
    top = plot["data"][-1]
    means = frame[frame["pipeline"] == best].groupby("case", sort=False)["value"].mean()
    assert top["name"] == look_up_profiles([best], ())[best].label
    assert top["x"] == pytest.approx(means.tolist(), rel=1e-4)


def test_names_reach_plotly_as_text_without_tags(plot, hostile):
    names = [text for trace in plot["data"] for text in (trace["name"], *trace["text"])]
    assert not any("<" in text or ">" in text for text in names)
    assert hostile.replace("<", "&lt;").replace(">", "&gt;") in names


def test_a_plot_is_json_without_nan(skin):
    undefined = Table(skin.frame.assign(value=skin.frame["value"].mask(skin.frame["case"] == "case-02", np.nan)))
    plot = box_plot(undefined, standing(undefined, "dice", "test"), look_up_profiles(skin.contenders, ()), "Dice")
    assert "NaN" not in json.dumps(plot)
