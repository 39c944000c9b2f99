from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg import Holdout, UserError, hold_out
from llmseg.data.draw_holdout import _Facts


def held(holdout: Holdout) -> set[str]:
    return set(holdout.test_ids)


@settings(deadline=None, max_examples=60)
@given(
    groups=st.lists(st.integers(0, 12), min_size=4, max_size=40).filter(lambda found: len(set(found)) > 3),
    fraction=st.floats(0.05, 0.5),
    seed=st.integers(0, 100),
    stratified=st.booleans(),
)
def test_no_group_lies_on_both_sides(groups, fraction, seed, stratified, grouped):
    store = grouped({f"{place:03}": f"g{group}" for place, group in enumerate(groups)})
    holdout = hold_out(store, fraction=fraction, seed=seed, stratified=stratified)
    test, rest = holdout.test(store), holdout.rest(store)
    assert {*test.ids, *rest.ids} == set(store.ids)
    assert test.ids
    assert rest.ids
    assert not set(test.groups.values()) & set(rest.groups.values())


@pytest.mark.parametrize(("count", "fraction", "wanted"), [(73, 0.1, 7), (999, 0.1, 100), (10, 0.01, 1), (20, 0.5, 10)])
@pytest.mark.parametrize("stratified", [True, False])
def test_single_cases_give_the_share_that_is_asked_for(count, fraction, wanted, stratified, numbered):
    holdout = hold_out(numbered(count), fraction=fraction, stratified=stratified)
    assert abs(len(holdout.test_ids) - wanted) <= 1


@pytest.mark.parametrize(("count", "wanted"), [(5002, 500), (999, 99), (5457, 545), (73, 7)])
def test_random_draws_as_many_as_the_study_did(count, wanted, monkeypatch, numbered):
    store = numbered(count, per_group=10)
    facts = {id: _Facts(id, 0.1) for id in store.ids}
    monkeypatch.setattr("llmseg.data.draw_holdout._read_facts", lambda store, progress: facts)
    assert len(hold_out(store, split="random").test_ids) == wanted


def test_random_tears_groups_apart(numbered):
    store = numbered(60, per_group=10)
    holdout = hold_out(store, fraction=0.3, split="random")
    assert set(holdout.test(store).groups.values()) & set(holdout.rest(store).groups.values())


def test_equal_images_stay_together(numbered):
    store = replace(numbered(40), images={"0003": 77, "0020": 77, "0031": 77})
    for seed in range(12):
        sides = {id in held(hold_out(store, fraction=0.3, seed=seed)) for id in ("0003", "0020", "0031")}
        assert len(sides) == 1


def test_small_and_large_foreground_are_both_tested(numbered):
    shares = {f"{k:04}": k / 100 for k in range(100)}
    store = replace(numbered(100), shares=shares)
    rows = Counter(int(shares[id] * 10) for id in hold_out(store, fraction=0.1).test_ids)
    assert rows == Counter(range(10))


def test_the_seed_draws_and_nothing_else(numbered):
    store = numbered(50)
    first = hold_out(store, seed=1)
    assert first == hold_out(store, seed=1)
    assert first.digest == hold_out(store, seed=1).digest
    assert held(first) != held(hold_out(store, seed=2))


def test_a_known_draw_stays_what_it_is(numbered):
    assert hold_out(numbered(20), fraction=0.2).test_ids == ("0003", "0007", "0014", "0017")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fraction": 0}, r"^fraction is 0; it must be above 0 and below 1$"),
        ({"fraction": 1.0}, r"^fraction is 1\.0; it must be above 0 and below 1$"),
        ({"fraction": 30}, r"above 0 and below 1; did you mean 0\.3\?$"),
        ({"fraction": -0.1}, r"^fraction is -0\.1; it must be above 0 and below 1$"),
        ({"split": "leaky"}, r"^split is 'leaky'; it may be grouped or random$"),
    ],
)
def test_options_out_of_range_are_refused(options, message, numbered):
    with pytest.raises(UserError, match=message):
        hold_out(numbered(5), **options)


def test_one_group_cannot_be_divided(numbered):
    with pytest.raises(UserError, match="too few groups"):
        hold_out(numbered(5, per_group=5))
