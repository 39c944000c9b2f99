"""Axes of losses."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg.figures.axes import format_loss_axes
from llmseg.figures.canvas import make_figure


def axes_of(losses, scale):
    axes = make_figure(3, 2).subplots()
    axes.plot(range(1, len(losses) + 1), losses)
    format_loss_axes([axes], scale)
    axes.figure.draw_without_rendering()
    return axes


@pytest.mark.parametrize("losses", [[0.5, 0.45, 0.4], [0.9, 0.3, 0.1], [100.0, 1.0, 0.01]])
def test_a_logarithmic_axis_has_several_plain_labels_however_little_it_spans(losses):
    axes = axes_of(losses, "log")
    low, high = axes.get_ylim()
    inside = [label.get_text() for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]
    assert len(inside) >= 2
    assert all(float(text) > 0 for text in inside)


def test_epochs_are_whole_numbers():
    ticks = axes_of([0.9, 0.5], "linear").get_xticks()
    assert (ticks == np.round(ticks)).all()


def test_a_panel_without_a_finite_loss_says_so():
    axes = axes_of([np.nan, np.inf], "linear")
    assert [text.get_text() for text in axes.texts] == ["no loss is a number"]
    assert list(axes.get_yticks()) == []
