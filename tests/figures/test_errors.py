"""Errors by kind."""

from __future__ import annotations

import pandas as pd
import pytest

from llmseg import UserError, zoo
from llmseg.figures.errors import ERROR_COLOURS, error_bars, error_counts, error_grid
from llmseg.stats import count_errors, published, published_errors


def test_bars_are_as_long_as_the_published_rows():
    rows = published.get("errors").frame.query("set == 'core'")["model"].value_counts()
    by_label = {zoo.get(name).card.name: rows.get(name, 0) for name in zoo.names()}
    drawn = {}
    for axes in error_bars().axes:
        names = [label.get_text() for label in axes.get_yticklabels()]
        ends = dict.fromkeys(names, 0)
        for bar in axes.patches:
            name = names[round(bar.get_y() + bar.get_height() / 2)]
            ends[name] = max(ends[name], bar.get_x() + bar.get_width())
        assert list(ends.values()) == sorted(ends.values(), reverse=True)
        marked = [names[line.get_ydata()[0]] for line in axes.get_lines()]
        assert marked == [name for name in names if ends[name] == 0]
        drawn |= ends
    assert drawn == by_label


def test_kinds_are_those_of_the_published_figure_but_for_known_models():
    counts = error_counts(published.get("errors").frame.query("set == 'core'"))
    figure = published.get("error_counts").frame.query("set == 'core'").set_index("model").filter(like="figure_")
    figure = figure.drop(columns="figure_total").set_axis(list(ERROR_COLOURS), axis=1)
    differ = [name for name in counts.index if (counts.loc[name] != figure.loc[name]).any()]
    assert sorted(differ) == ["gemini-1.5-pro", "llama-4-maverick", "qwen-3-235b"]
    assert "differs for Gemini 1.5 Pro" in error_bars().get_supxlabel()


def test_errors_of_others_are_refused():
    row = {"model": ["ours"], "exception": ["NameError"], "category": ["other"]}
    with pytest.raises(UserError, match="ours is no pipeline"):
        error_bars(pd.DataFrame(row))
    with pytest.raises(UserError, match="no column 'category'"):
        error_bars(pd.DataFrame(row).drop(columns="category"))


def test_the_grid_says_how_many_errors_each_phase_and_category_has():
    panels = {"Study": published_errors(), "Others": published_errors("extra")}
    for axes, errors in zip(error_grid(panels).axes, panels.values(), strict=True):
        counts = count_errors(errors)
        shown = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in axes.texts}
        assert shown == {
            (row, column): str(number)
            for row, numbers in enumerate(counts.to_numpy().tolist())
            for column, number in enumerate(numbers)
            if number
        }
    with pytest.raises(UserError, match="no errors to draw"):
        error_grid({})
