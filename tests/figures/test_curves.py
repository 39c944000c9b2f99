"""Curves of losses, read from what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg import UserError
from llmseg.figures.curves import cohort_curves, loss_curves, run_curves
from llmseg.study.results import Curve


def curve(name, losses, seed=0, chosen=None):
    values = np.asarray(losses, float)
    return Curve(name, "Skin", seed, values / 2, values, chosen)


CURVES = [
    curve("gpt-4", [1.0, 0.5, 0.25], seed=0),
    curve("gpt-4", [0.8, 0.3, 0.15], seed=1),
    curve("gpt-4o", [0.9, np.nan]),
    curve("gpt-o3", [0.6, 0.4, 0.2, 0.1], chosen=2),
    curve("monai-basic-unet", [0.5, 0.5]),
]


def ydata(axes, marker="None"):
    return [np.asarray(line.get_ydata()).tolist() for line in axes.get_lines() if line.get_marker() == marker]


def test_cohorts_have_panels_of_means_over_seeds():
    old, new, *_ = loss_curves(CURVES).axes
    assert (old.get_title(loc="left"), new.get_title(loc="left")) == ("2024 models", "2025 models")
    assert ydata(old)[0] == pytest.approx([0.9, 0.4, 0.2])
    assert ydata(old)[2] == [0.5, 0.5]
    assert ydata(new) == [[0.6, 0.4, 0.2, 0.1], [0.5, 0.5]]
    assert old.collections[0].get_paths()[0].get_extents().ymax == pytest.approx(1.0)


def test_a_dot_is_the_chosen_epoch_and_a_cross_where_numbers_end():
    old, new, *_ = loss_curves(CURVES).axes
    (dot,) = [line for line in new.get_lines() if line.get_marker() == "o"]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (2, 0.4)
    (cross,) = [line for line in old.get_lines() if line.get_marker() == "x"]
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (1, 0.9)
    said = loss_curves(CURVES).get_supxlabel()
    assert "Dot: the epoch" in said
    assert "Cross: from here" in said


def test_training_losses_and_a_logarithmic_scale():
    figure = loss_curves([*CURVES, curve("grok-3", [0.0, 1.0])], loss="train", scale="log")
    assert ydata(figure.axes[1])[0] == [0.3, 0.2, 0.1, 0.05]
    assert figure.axes[0].get_yscale() == "log"
    assert "zero and below cannot be drawn" in figure.get_supxlabel()


def test_a_cohorts_mean_keeps_the_last_loss_of_those_that_ended():
    axes = cohort_curves(CURVES).axes[0]
    thick = [line for line in axes.get_lines() if line.get_linewidth() == 2]
    assert [line.get_label() for line in thick] == ["2024 (2 LLMs)", "2025 (1 LLMs)"]
    assert thick[0].get_ydata().tolist() == pytest.approx([0.9])
    (dashed,) = [line for line in axes.get_lines() if line.get_linewidth() == 1.4 and len(line.get_xdata()) == 3]
    assert dashed.get_ydata().tolist() == pytest.approx([0.9, (0.4 + 0.9) / 2, (0.2 + 0.9) / 2])


def test_a_cohorts_mean_counts_every_llm_once():
    others = ["gpt-4o@run-03", "gpt-4@tensorflow", "gpt-4 loss=bce", "gemini-1.5-flash", "ours"]
    beside = cohort_curves([*CURVES, *(curve(name, [9.0, 9.0, 9.0]) for name in others)])
    for line, alone in zip(ydata(beside.axes[0]), ydata(cohort_curves(CURVES).axes[0]), strict=True):
        np.testing.assert_array_equal(line, alone)
    assert "Left out: 5" in beside.get_supxlabel()
    assert "Left out" not in cohort_curves(CURVES).get_supxlabel()
    with pytest.raises(UserError, match="no LLM with a cohort among gpt-4o@run-03"):
        cohort_curves([curve("gpt-4o@run-03", [1.0])])


def test_generations_have_a_panel_per_model():
    runs = [curve(f"gpt-4o@run-0{n}", [1 / n, 0.5 / n]) for n in (1, 2, 3)]
    figure = run_curves([*runs, CURVES[-1]])
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "a  GPT-4o, 3 generations"
    assert ydata(axes) == [[0.5, 0.5], [1.0, 0.5], [0.5, 0.25], [1 / 3, 0.5 / 3]]
    with pytest.raises(UserError, match="no repeated generations"):
        run_curves(CURVES)


def test_what_cannot_be_drawn_is_told_or_marked():
    with pytest.raises(UserError, match="no trainings"):
        loss_curves([])
    with pytest.raises(UserError, match="no scale 'lg'; did you mean 'log'"):
        loss_curves(CURVES, scale="lg")
    with pytest.raises(UserError, match="no LLM with a cohort among ours"):
        cohort_curves([curve("ours", [1.0])])
    with pytest.raises(UserError, match="22 contenders share a panel, and no more than 21"):
        loss_curves([curve(f"ours-{number}", [1.0]) for number in range(22)])
    axes = loss_curves([curve("ours", [np.nan, np.nan])]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["no loss is a number"]
