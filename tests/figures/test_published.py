"""Published figures beside ours, read from what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from llmseg import UserError
from llmseg.figures import Choices, draw, published_ranks
from llmseg.study import Results, compare_with_published


@pytest.fixture
def comparison(table):
    return compare_with_published(Results(table, ()), prepared_as={"Skin": "skin", "Brain": "brain"})


def marks(axes, face):
    """The x of every circle whose face has that colour, from the top."""
    found = [
        line for line in axes.lines if line.get_marker() == "o" and (line.get_markerfacecolor() == "white") == face
    ]
    return [float(line.get_xdata()[0]) for line in sorted(found, key=lambda line: line.get_ydata()[0])]


def test_ranks_and_scores_are_those_of_the_comparison(comparison):
    figure = published_ranks(comparison)
    assert len(figure.axes) == 4
    for ranks, scores, part in zip(figure.axes[::2], figure.axes[1::2], comparison.datasets, strict=True):
        assert marks(ranks, True) == part.frame["published_rank"].tolist()
        assert marks(ranks, False) == part.frame["rank"].tolist()
        assert marks(scores, True) == part.frame["published_median"].tolist()
        assert marks(scores, False) == pytest.approx(part.frame["mean"].tolist())
        crosses = [line.get_xdata()[0] for line in scores.lines if line.get_marker() == "x"]
        assert np.array_equal(crosses, part.frame["published_mean"], equal_nan=True)
        ends = [path.vertices[:, 0] for lines in scores.findobj(LineCollection) for path in lines.get_paths()]
        for row in part.frame.itertuples():
            assert any(np.allclose(end, [row.low, row.high]) for end in ends)
        assert ranks.get_yticklabels()[0].get_text() == "GPT o3"


def test_the_figure_says_how_well_ranks_agree_and_what_is_not_alike(comparison):
    figure = published_ranks(comparison)
    found = comparison.datasets[0].kendall
    assert f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})" in figure.axes[1].get_title(loc="right")
    assert figure.axes[0].get_title(loc="left") == "Skin"
    note = " ".join(figure.get_supxlabel().split())
    assert "Hollow, upper: published" in note
    assert "how the contenders were trained is not known" in note


def test_a_pipeline_alone_or_without_a_published_number_is_drawn(table):
    one = compare_with_published(Results(table.select(pipeline="gpt-4"), ()), prepared_as={"Skin": "myoma"})
    axes = published_ranks(one).axes
    assert marks(axes[0], True) == []
    assert len(marks(axes[0], False)) == 1
    assert axes[0].get_title(loc="left") == "Skin (Myoma in the study)"


def test_datasets_that_the_study_does_not_have_are_refused(table):
    with pytest.raises(UserError, match="nothing to compare with the published figures"):
        draw("published", Results(table, ()))
    # What the message advises.
    assert len(draw("published", Results(table, ()), Choices(prepared_as={"Skin": "skin"})).axes) == 2
