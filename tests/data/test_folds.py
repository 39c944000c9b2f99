"""Folds: every case is a test case once, no group is divided, and folds are as even as groups allow."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg import Holdout, UserError, draw_folds, hold_out
from llmseg.data import as_folds, digest_folds, load_folds, save_folds


@settings(deadline=None, max_examples=60)
@given(
    groups=st.lists(st.integers(0, 12), min_size=6, max_size=40).filter(lambda found: len(set(found)) > 4),
    count=st.integers(2, 5),
    seed=st.integers(0, 100),
    stratified=st.booleans(),
)
def test_every_case_is_held_out_once_and_no_group_is_divided(groups, count, seed, stratified, grouped):
    store = grouped({f"{place:03}": f"g{group}" for place, group in enumerate(groups)})
    folds = draw_folds(store, count, seed=seed, stratified=stratified)
    assert sorted(id for fold in folds for id in fold.test_ids) == sorted(store.ids)
    numbers = [len({store.groups[id] for id in fold.test_ids}) for fold in folds]
    assert sum(numbers) == len(set(groups))
    assert max(numbers) - min(numbers) <= 1
    assert as_folds(folds) == folds


def test_large_groups_are_spread(grouped):
    """Two groups of ten frames and six of one, in two folds: one large group each."""
    groups = {f"{group}-{frame}": group for group in "ab" for frame in range(10)} | {f"{n}": f"{n}" for n in range(6)}
    folds = draw_folds(grouped(groups), 2)
    assert sorted(len(fold.test_ids) for fold in folds) == [13, 13]


def test_small_and_large_foreground_are_in_every_fold(numbered):
    store = numbered(20)
    folds = draw_folds(store, 4)
    by_share = sorted(store.ids, key=lambda id: store.read(id).mask.mean())
    place = {id: by_share.index(id) // 4 for id in store.ids}
    for fold in folds:
        assert Counter(place[id] for id in fold.test_ids) == dict.fromkeys(range(5), 1)


def test_another_seed_gives_other_folds_and_the_same_seed_the_same(numbered):
    assert draw_folds(numbered(20), 4) == draw_folds(numbered(20), 4)
    assert draw_folds(numbered(20), 4) != draw_folds(numbered(20), 4, seed=1)


def test_random_folds_divide_groups(grouped):
    store = grouped({f"{n}": f"g{n // 5}" for n in range(20)})
    folds = draw_folds(store, 5, split="random")
    assert [len(fold.test_ids) for fold in folds] == [4] * 5
    assert any(len({store.groups[id] for id in fold.test_ids}) > 1 for fold in folds)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "folds is 1; it must be 2 or more"),
        (4, "too few groups for 4 folds: 3; ask for 3 folds or fewer"),
    ],
)
def test_numbers_of_folds_that_cannot_be(count, words, grouped):
    store = grouped({f"{n}": f"g{n // 2}" for n in range(6)})
    with pytest.raises(UserError, match=words):
        draw_folds(store, count)
    assert len(draw_folds(store, 3)) == 3  # as the message says


def test_one_group_has_no_folds(grouped):
    with pytest.raises(UserError, match="too few groups for 2 folds: 1; add cases of others"):
        draw_folds(grouped({"a": "g", "b": "g"}), 2)


class TestManifests:
    def test_are_read_as_they_were_saved(self, numbered, tmp_path):
        folds = draw_folds(numbered(12), 3)
        save_folds(folds, tmp_path / "folds")
        assert load_folds(tmp_path / "folds") == folds
        assert load_folds(tmp_path / "folds" / "fold-2.json") == (folds[1],)
        save_folds(folds, tmp_path / "folds")  # the same again
        with pytest.raises(UserError, match=r"is a folder of folds; name one of its manifests, such as .*fold-1\.json"):
            Holdout.load(tmp_path / "folds")

    def test_of_more_folds_are_not_mixed_with_these(self, numbered, tmp_path):
        save_folds(draw_folds(numbered(12), 4), tmp_path)
        with pytest.raises(UserError, match=r"fold-4\.json is of other folds than these 3; choose another --out"):
            save_folds(draw_folds(numbered(12), 3), tmp_path)
        assert len(load_folds(tmp_path)) == 4

    def test_that_are_missing(self, numbered, tmp_path):
        save_folds(draw_folds(numbered(12), 4), tmp_path)
        (tmp_path / "fold-2.json").unlink()
        with pytest.raises(UserError, match=r"no manifest .*fold-2\.json"):
            load_folds(tmp_path)
        for path in tmp_path.glob("fold-*.json"):
            path.unlink()
        with pytest.raises(UserError, match="holds no folds; make them by llmseg data split --folds 5"):
            load_folds(tmp_path)

    def test_of_other_draws_are_no_folds(self, numbered):
        folds = draw_folds(numbered(12), 3)
        with pytest.raises(UserError, match="is held out 2 times; give all manifests of one draw"):
            as_folds([*folds, hold_out(numbered(12))])
        with pytest.raises(UserError, match="are in different states"):
            as_folds([folds[0], *(replace(fold, store_digest="other") for fold in folds[1:])])
        with pytest.raises(UserError, match="no held-out test set"):
            as_folds([])


def test_one_held_out_test_set_keeps_its_digest(numbered):
    holdout = hold_out(numbered(12))
    assert digest_folds(as_folds(holdout)) == holdout.digest
    folds = draw_folds(numbered(12), 3)
    assert len({digest_folds(folds), digest_folds(folds[::-1]), *(fold.digest for fold in folds)}) == 5
