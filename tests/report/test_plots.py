"""Interactive plots as plain values."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from llmseg.report import plots
from llmseg.report.plots import box_plot
from llmseg.report.profiles import look_up_profiles
from llmseg.report.standings import standing
from llmseg.stats import Table


@pytest.fixture(scope="module")
def skin(scores):
    return Table(scores[scores["dataset"] == "Skin"])


@pytest.fixture(scope="module")
def plot(skin):
    plot, left_out = _box_plot(skin)
    assert left_out == ""
    return plot


def _box_plot(table):
    return box_plot(table, standing(table, "dice", "test"), look_up_profiles(table.contenders, ()), "Dice")


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
    plot, _ = _box_plot(undefined)
    assert "NaN" not in json.dumps(plot)


@pytest.fixture
def few_values(monkeypatch):
    """Boxes of more than 100 cases are computed here, with at most 20 points beyond the whiskers."""
    monkeypatch.setattr(plots, "_ALL_VALUES", 100)
    monkeypatch.setattr(plots, "_MOST_OUTSIDE", 20)


def _many_cases(row, outside):
    """Return 150 cases between 0.8 and 0.9, and some far below."""
    random = np.random.default_rng(0)
    values = np.concatenate([random.uniform(0.8, 0.9, 150), random.uniform(0.1, 0.5, outside)])
    names = [f"case {index}" for index in range(len(values))]
    return pd.concat([row] * len(values), ignore_index=True).assign(case=names, group=names, value=values)


@pytest.mark.parametrize("outside", [0, 3, 45])
def test_a_plot_of_many_cases_holds_the_box_instead_of_all_cases(outside, skin, few_values):
    frame = _many_cases(skin.frame.head(1), outside)
    values = frame["value"].to_numpy()
    plot, left_out = _box_plot(Table(frame))
    (box,) = plot["data"]
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], method="hazen")
    assert [*box["q1"], *box["median"], *box["q3"], *box["mean"]] == pytest.approx(
        [*quartiles, values.mean()], rel=1e-4
    )
    assert box["upperfence"] == pytest.approx([values.max()], rel=1e-4)
    (drawn,), (names,) = box["x"], box["text"]
    beyond = {name: value for name, value in zip(names, drawn, strict=True) if value < box["lowerfence"][0]}
    assert len(beyond) == min(outside, 20)
    assert frame.set_index("case").loc[list(beyond), "value"].tolist() == pytest.approx([*beyond.values()], rel=1e-4)
    if outside:
        # Among the points that are drawn are the lowest and the highest.
        ends = [min(beyond.values()), max(beyond.values())]
        assert ends == pytest.approx(np.sort(values)[[0, outside - 1]].tolist(), rel=1e-4)
    assert bool(left_out) == (outside > 20)


def test_a_page_says_that_points_are_left_out(written, pages, scores, few_values):
    report = written(_many_cases(scores.head(1), 45))
    (page,) = (page for path, page in pages(report.folder).items() if path.parent.name == "datasets")
    assert "where more than 20 cases lie beyond the whiskers, 20 of them are drawn" in page.said
