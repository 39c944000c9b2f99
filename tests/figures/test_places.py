"""Places on single cases, read from what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg import UserError
from llmseg.figures.places import podium


def test_a_podium_counts_places_on_cases(table):
    figure = podium(table, dataset="Skin")
    above, below = figure.axes
    names = [label.get_text() for label in below.get_yticklabels()]
    part = table.frame[table.frame["dataset"] == "Skin"]
    means = part.pivot_table(index="case", columns="pipeline", values="value")
    first = (means.rank(axis=1, ascending=False).apply(np.ceil) == 1).mean()
    shares = np.asarray(below.images[0].get_array())
    assert shares.sum(axis=1) == pytest.approx(np.ones(5))
    assert shares[names.index("GPT o3"), 0] == pytest.approx(first["gpt-o3"])
    assert shares[names.index("GPT-4")].tolist() == shares[names.index("GPT-4o")].tolist()
    assert "Ties on 12 of 12 cases" in figure.get_supxlabel()
    assert above.get_title(loc="left") == "Skin (12 cases, 2 seeds)"


def test_a_podium_shows_several_contenders_on_one_dataset(table):
    with pytest.raises(UserError, match="choose by dataset: Skin, Brain"):
        podium(table)
    with pytest.raises(UserError, match="one contender"):
        podium(table.select(pipeline="gpt-4", dataset="Skin"))
