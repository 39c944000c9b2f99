"""Box plots and clouds, read from what was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmseg import UserError
from llmseg.figures.boxes import box_plots, clouds, run_boxes
from llmseg.figures.style import COHORTS, GREY
from llmseg.stats import Table

LABELS = {
    "gpt-4": "GPT-4",
    "gpt-4o": "GPT-4o",
    "gpt-o3": "GPT o3",
    "grok-3": "Grok 3",
    "monai-basic-unet": "BasicUNet",
}


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def expected_order(frame):
    """By pandas alone: the reference, then by median, equal ones by name."""
    medians = frame.groupby("pipeline")["value"].median()
    others = sorted(medians.drop("monai-basic-unet").items(), key=lambda item: (-item[1], item[0]))
    return ["monai-basic-unet", *(name for name, _ in others)]


def test_boxes_are_quartiles_in_the_order_of_medians(table):
    figure = box_plots(table)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Skin", "Brain"]
    for axes, (_, part) in zip(figure.axes, table.frame.groupby("dataset", sort=False), strict=True):
        order = expected_order(part)
        assert labels(axes) == [LABELS[name] for name in order]
        assert axes.yaxis_inverted()
        assert axes.get_xlabel() == "Dice score\n12 cases, 2 seeds"
        quartiles = part.groupby("pipeline")["value"].quantile([0.25, 0.75]).unstack().loc[order].to_numpy()
        drawn = np.array([(box.get_x(), box.get_x() + box.get_width()) for box in axes.patches])
        assert drawn == pytest.approx(quartiles)
        assert [box.get_y() + box.get_height() / 2 for box in axes.patches] == pytest.approx(range(5))


def test_colours_are_those_of_cohorts(table):
    from matplotlib.colors import to_hex

    axes = box_plots(table).axes[0]
    colours = dict(zip(labels(axes), (to_hex(box.get_facecolor()) for box in axes.patches), strict=True))
    assert colours["BasicUNet"] == GREY
    assert (colours["GPT-4"], colours["GPT o3"]) == (COHORTS[2024], COHORTS[2025])


def test_distances_are_ordered_the_other_way(table):
    """Unlike scores, the smallest is best."""
    frame = table.frame.assign(measure="hd95", value=table.frame["value"] * 100)
    axes = box_plots(Table.from_frame(frame), measure="hd95").axes[0]
    others = labels(box_plots(table).axes[0])[1:]
    assert set(labels(axes)[1:3]) == {"GPT-4", "GPT-4o"}
    assert labels(axes)[-1] == others[0]
    assert axes.get_xlabel() == "HD95 (pixels)\n12 cases, 2 seeds"


def test_clouds_have_a_dot_for_every_case(table):
    axes = clouds(table).axes[0]
    part = table.frame[table.frame["dataset"] == "Skin"]
    means = part.groupby(["pipeline", "case"])["value"].mean()
    for row, name in enumerate(expected_order(part)):
        drawn = [line for line in axes.get_lines() if row < np.mean(line.get_ydata()) < row + 0.5]
        assert sorted(drawn[0].get_xdata()) == pytest.approx(sorted(means[name]))


def test_few_scores_have_no_box_and_undefined_ones_are_counted(table):
    frame = table.select(dataset="Skin", seed=0, case=["c00", "c01", "c02"]).frame.assign(measure="false_positive_area")
    frame.loc[0, "value"] = np.nan
    axes = box_plots(Table.from_frame(frame), measure="false_positive_area").axes[0]
    assert not axes.patches
    assert sum(len(line.get_xdata()) for line in axes.get_lines()) == 14
    assert axes.get_xlabel() == "false positive area\n2 to 3 cases, 1 seed, 1 undefined"


def test_generations_stand_in_groups_with_the_median_of_the_reference(table):
    names = {"gpt-4": "gpt-4o@run-01", "gpt-o3": "gpt-4o@run-02", "grok-3": "gpt-o4-mini-high@run-10"}
    frame = table.select(dataset="Skin").frame.query("pipeline != 'gpt-4o'")
    renamed = Table.from_frame(frame.assign(pipeline=frame["pipeline"].replace(names)))
    axes = run_boxes(renamed).axes[0]
    assert labels(axes) == ["BasicUNet", "GPT o4-mini-high run 10", "GPT-4o run 02", "GPT-4o run 01"]
    (median,) = {line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() != "None"}
    assert median == frame.loc[frame["pipeline"] == "monai-basic-unet", "value"].median()


@pytest.mark.parametrize(
    ("draw", "options", "said"),
    [
        (box_plots, {"references": ["gpt4"]}, "no contender 'gpt4'; did you mean 'gpt-4'"),
        (box_plots, {"measure": "dise"}, "did you mean 'dice'"),
        (run_boxes, {}, "no repeated generations"),
    ],
)
def test_what_cannot_be_drawn_is_told(table, draw, options, said):
    with pytest.raises(UserError, match=said):
        draw(table, **options)


def test_nothing_but_undefined_scores_is_told(table):
    frame = table.frame.assign(measure="false_positive_area", value=np.nan)
    with pytest.raises(UserError, match="none is a number"):
        box_plots(Table.from_frame(pd.DataFrame(frame)), measure="false_positive_area")
