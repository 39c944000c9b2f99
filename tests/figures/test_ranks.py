"""Figures of rankings, read from what was drawn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from llmseg import UserError
from llmseg.figures.ranks import critical_difference, find_cliques, significance, stability
from llmseg.stats import Table, friedman, rank, significance_map


@pytest.mark.parametrize("seed", range(5))
def test_cliques_are_all_largest_groups(seed):
    random = np.random.default_rng(seed)
    ranks, difference = np.sort(random.integers(1, 20, 8) / 2), float(random.uniform(0.5, 4))
    close = [
        (first, last) for first, last in itertools.combinations(range(8), 2) if ranks[last] - ranks[first] < difference
    ]
    largest = [
        one for one in close if not any(other != one and other[0] <= one[0] and one[1] <= other[1] for other in close)
    ]
    assert find_cliques(ranks, difference) == largest


def test_mean_ranks_are_written_and_too_few_datasets_told(table):
    found = friedman(table)
    figure = critical_difference(found)
    texts = {text.get_text() for text in figure.axes[0].texts}
    by_name = dict(zip(found.contenders, found.ranks, strict=True))
    assert any(text in texts for text in (f"GPT o3  {by_name['gpt-o3']:.2f}", f"{by_name['gpt-o3']:.2f}  GPT o3"))
    assert f"critical difference {found.critical_difference:.2f}" in " ".join(texts)
    assert figure.get_supxlabel().startswith("TOO FEW DATASETS FOR AN EXACT TEST OF ANY PAIR.")


def test_discs_are_shares_of_resampled_ranks(table):
    found = rank(table, resamples=50)
    axes = stability(found).axes[0]
    (discs,) = [one for one in axes.collections if isinstance(one, PathCollection)]
    for (place, row), size in zip(discs.get_offsets(), discs.get_sizes(), strict=True):
        assert size == pytest.approx(90 * np.mean(found.resampled[:, int(row)] == place))
    assert discs.get_sizes().sum() == pytest.approx(90 * 5)
    (observed,) = [line for line in axes.get_lines() if line.get_marker() == "|"]
    assert observed.get_xdata().tolist() == found.frame["rank"].tolist()
    assert observed.get_xdata()[-1] == observed.get_xdata()[-2]  # equal contenders share their rank


def test_signs_are_the_verdicts(table):
    square = significance_map(table)
    axes = significance(table).axes[0]
    signs = {"better": "+", "worse": "\N{MINUS SIGN}", "undecided": "", "equivalent": "="}
    drawn = {text.get_position(): text.get_text() for text in axes.texts}
    for row, column in itertools.permutations(range(5), 2):
        assert drawn[(column, row)] == signs[square.iloc[row, column]]
    assert len(drawn) == 20
    assert set(drawn.values()) == {"+", "\N{MINUS SIGN}", ""}


def test_what_cannot_be_ranked_is_told_or_marked(table):
    with pytest.raises(UserError, match="one contender"):
        significance(table.select(pipeline="gpt-4", dataset="Skin"))
    ties = Table.from_frame(table.frame.assign(value=0.5))
    axes = stability(rank(ties, resamples=10)).axes[0]
    (observed,) = [line for line in axes.get_lines() if line.get_marker() == "|"]
    assert set(observed.get_xdata()) == {1.0}
    assert "nothing can be said" in critical_difference(friedman(ties)).get_supxlabel()
