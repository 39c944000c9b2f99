"""Attribution of a gap: planted effects come back, whatever is averaged."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg.errors import UserError
from llmseg.stats.shares import all_swaps, contributions, one_swaps, sampled_swaps

PARTS = ("images", "net", "loss", "fit")
METHODS = {"single": one_swaps, "all": all_swaps, "sampled": lambda parts: sampled_swaps(parts, 3)}
SUBSETS = [frozenset(s) for size in range(5) for s in itertools.combinations(PARTS, size)]
numbers = st.floats(-1, 1, allow_nan=False, width=32)
games = st.fixed_dictionaries(dict.fromkeys(SUBSETS, numbers))
effects = st.fixed_dictionaries(dict.fromkeys(PARTS, numbers))


def paired(game) -> tuple[pd.DataFrame, dict]:
    """Scores of six cases in three groups and two seeds; coalition S adds game[S] to every one."""
    index = pd.MultiIndex.from_tuples(
        [(f"c{case}", f"g{case // 2}", seed) for case in range(6) for seed in range(2)], names=["case", "group", "seed"]
    )
    hardness = np.linspace(0, 1, len(index))
    names = {subset: "+".join(sorted(subset)) or "nothing" for subset in game}
    return pd.DataFrame({names[s]: hardness + value for s, value in game.items()}, index=index), names


def found(game, method: str) -> dict[str, float]:
    table = contributions(*paired(game), METHODS[method](PARTS))
    return dict(zip(table["part"], table["difference"], strict=True))


def additive(values) -> dict:
    return {subset: sum(values[part] for part in subset) for subset in SUBSETS}


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=5)
@given(values=effects)
def test_effects_that_add_up_are_recovered(method, values):
    shares = found(additive(values), method)
    assert {part: shares[part] for part in PARTS} == pytest.approx(values, abs=1e-9)
    assert shares["interaction"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=5)
@given(game=games)
def test_parts_and_interaction_sum_to_the_gap(method, game):
    shares = found(game, method)
    gap = shares.pop("gap")
    assert gap == pytest.approx(game[frozenset(PARTS)] - game[frozenset()], abs=1e-9)
    assert sum(shares.values()) == pytest.approx(gap, abs=1e-9)


@pytest.mark.parametrize("method", ["all", "sampled"])
@settings(deadline=None, max_examples=5)
@given(game=games)
def test_shapley_leaves_no_rest(method, game):
    assert found(game, method)["interaction"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=5)
@given(game=games)
def test_a_part_that_changes_nothing_has_exactly_nothing(method, game):
    idle = {subset: game[subset - {"net"}] for subset in SUBSETS}
    table = contributions(*paired(idle), METHODS[method](PARTS)).set_index("part")
    assert table.loc["net", ["difference", "low", "high"]].tolist() == [0, 0, 0]


@settings(deadline=None, max_examples=5)
@given(game=games)
def test_shapley_values_are_means_over_all_orders(game):
    """The definition, term by term: what a part adds to those before it, averaged over all orders."""
    orders = list(itertools.permutations(PARTS))
    expected = dict.fromkeys(PARTS, 0.0)
    for order in orders:
        for place, part in enumerate(order):
            before = frozenset(order[:place])
            expected[part] += (game[before | {part}] - game[before]) / len(orders)
    shares = found(game, "all")
    assert {part: shares[part] for part in PARTS} == pytest.approx(expected, abs=1e-9)


def test_two_parts_that_only_work_together_share_alike():
    game = {subset: float({"net", "loss"} <= subset) for subset in SUBSETS}
    shares = found(game, "all")
    assert (shares["net"], shares["loss"], shares["fit"]) == pytest.approx((0.5, 0.5, 0))
    single = found(game, "single")
    assert (single["net"], single["loss"], single["interaction"]) == pytest.approx((0.5, 0.5, 0))


def test_what_either_part_alone_brings_is_interaction_of_single_swaps():
    game = {subset: float(bool(subset & {"net", "loss", "fit"})) for subset in SUBSETS}
    single = found(game, "single")
    assert single["net"] == pytest.approx(0.5)
    assert single["interaction"] == pytest.approx(1 - 3 * 0.5)
    assert found(game, "all")["net"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_a_part_add_up_to_one(method):
    swaps = METHODS[method](PARTS)
    for part in PARTS:
        assert sum(swap.weight for swap in swaps if swap.part == part) == pytest.approx(1)


@pytest.mark.parametrize(("method", "coalitions"), [("single", 10), ("all", 16)])
def test_number_of_coalitions(method, coalitions):
    assert len({c for swap in METHODS[method](PARTS) for c in swap.coalitions}) == coalitions


def test_intervals_are_those_of_paired_differences():
    """A part that lifts half of the groups: its interval holds the mean, the constant one has no width."""
    index = pd.MultiIndex.from_tuples([(f"c{i}", f"g{i}", 0) for i in range(20)], names=["case", "group", "seed"])
    base = np.linspace(0, 1, 20)
    lift = np.where(np.arange(20) % 2, 0.2, 0.0)
    frame = pd.DataFrame({"": base, "net": base + lift, "loss": base + 0.1, "both": base + lift + 0.1}, index=index)
    names = {
        frozenset(): "",
        frozenset({"net"}): "net",
        frozenset({"loss"}): "loss",
        frozenset({"net", "loss"}): "both",
    }
    table = contributions(frame, names, all_swaps(["net", "loss"])).set_index("part")
    assert table.loc["net", "low"] < 0.1 < table.loc["net", "high"]
    assert table.loc["net", "high"] - table.loc["net", "low"] == pytest.approx(
        2 * 2.093 * 0.1 / math.sqrt(19), rel=1e-3
    )
    assert table.loc["loss", ["low", "high"]].tolist() == pytest.approx([0.1, 0.1])


def test_no_orders_are_refused():
    with pytest.raises(UserError, match="0 orders: at least one"):
        sampled_swaps(PARTS, 0)
