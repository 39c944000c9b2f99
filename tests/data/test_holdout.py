from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg import FolderStore, Holdout, UserError, hold_out
from llmseg.data import Case
from llmseg.data.holdout import _Facts

PAIRS = [(patient, slice) for patient in range(6) for slice in range(3)]


@dataclass(frozen=True)
class Grouped:
    """Cases with given groups, images and shares of foreground."""

    groups: dict[str, str]
    images: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    name: str = "grouped"
    digest: str = "0" * 64

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.groups)

    def read(self, id: str) -> Case:
        number = self.images.get(id, self.ids.index(id))
        image = np.frombuffer(number.to_bytes(4, "big"), np.uint8).reshape(2, 2).repeat(5, 0).repeat(5, 1)
        mask = np.zeros((10, 10), np.uint8)
        mask.reshape(-1)[: round(100 * self.shares.get(id, 0.1))] = 255
        return Case(id, image, mask)


def numbered(count: int, per_group: int = 1) -> Grouped:
    return Grouped({f"{k:04}": f"g{k // per_group:04}" for k in range(count)})


def held(holdout: Holdout) -> set[str]:
    return set(holdout.test_ids)


@settings(deadline=None, max_examples=60)
@given(
    groups=st.lists(st.integers(0, 12), min_size=4, max_size=40).filter(lambda found: len(set(found)) > 3),
    fraction=st.floats(0.05, 0.5),
    seed=st.integers(0, 100),
    stratified=st.booleans(),
)
def test_no_group_lies_on_both_sides(groups, fraction, seed, stratified):
    store = Grouped({f"{place:03}": f"g{group}" for place, group in enumerate(groups)})
    holdout = hold_out(store, fraction=fraction, seed=seed, stratified=stratified)
    test, rest = holdout.test(store), holdout.rest(store)
    assert {*test.ids, *rest.ids} == set(store.ids)
    assert test.ids
    assert rest.ids
    assert not set(test.groups.values()) & set(rest.groups.values())


@pytest.mark.parametrize(("count", "fraction", "wanted"), [(73, 0.1, 7), (999, 0.1, 100), (10, 0.01, 1), (20, 0.5, 10)])
@pytest.mark.parametrize("stratified", [True, False])
def test_single_cases_give_the_share_that_is_asked_for(count, fraction, wanted, stratified):
    holdout = hold_out(numbered(count), fraction=fraction, stratified=stratified)
    assert abs(len(holdout.test_ids) - wanted) <= 1


@pytest.mark.parametrize(("count", "wanted"), [(5002, 500), (999, 99), (5457, 545), (73, 7)])
def test_random_draws_as_many_as_the_study_did(count, wanted, monkeypatch):
    store = numbered(count, per_group=10)
    facts = {id: _Facts(id, 0.1) for id in store.ids}
    monkeypatch.setattr("llmseg.data.holdout._read_facts", lambda store, progress: facts)
    assert len(hold_out(store, split="random").test_ids) == wanted


def test_random_tears_groups_apart():
    store = numbered(60, per_group=10)
    holdout = hold_out(store, fraction=0.3, split="random")
    assert set(holdout.test(store).groups.values()) & set(holdout.rest(store).groups.values())


def test_equal_images_stay_together():
    store = replace(numbered(40), images={"0003": 77, "0020": 77, "0031": 77})
    for seed in range(12):
        sides = {id in held(hold_out(store, fraction=0.3, seed=seed)) for id in ("0003", "0020", "0031")}
        assert len(sides) == 1


def test_small_and_large_foreground_are_both_tested():
    shares = {f"{k:04}": k / 100 for k in range(100)}
    store = replace(numbered(100), shares=shares)
    rows = Counter(int(shares[id] * 10) for id in hold_out(store, fraction=0.1).test_ids)
    assert rows == Counter(range(10))


def test_the_seed_draws_and_nothing_else():
    store = numbered(50)
    first = hold_out(store, seed=1)
    assert first == hold_out(store, seed=1)
    assert first.digest == hold_out(store, seed=1).digest
    assert held(first) != held(hold_out(store, seed=2))


def test_a_known_draw_stays_what_it_is():
    assert hold_out(numbered(20), fraction=0.2).test_ids == ("0003", "0007", "0014", "0017")


def test_of_another_store_equal_images_are_left_out():
    store = numbered(30)
    holdout = hold_out(store, fraction=0.2)
    renamed = Grouped(
        {f"other{id}": id for id in store.ids},
        images={f"other{id}": place for place, id in enumerate(store.ids)},
        digest="1" * 64,
    )
    assert {id.removeprefix("other") for id in holdout.rest(renamed).ids} == set(store.ids) - held(holdout)
    with pytest.raises(UserError, match="another state of grouped"):
        holdout.test(renamed)


def test_a_manifest_is_read_as_written(tmp_path):
    holdout = hold_out(numbered(12), fraction=0.25)
    holdout.save(tmp_path / "m.json")
    assert Holdout.load(tmp_path / "m.json") == holdout
    assert json.loads((tmp_path / "m.json").read_text())["digest"] == holdout.digest


def test_a_changed_manifest_is_refused(tmp_path):
    path = tmp_path / "m.json"
    hold_out(numbered(12), fraction=0.25).save(path)
    path.write_text(path.read_text().replace('"held": false', '"held": true', 1))
    with pytest.raises(UserError, match="was changed"):
        Holdout.load(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"llmseg_holdout": 1, "digest": "", "cases": [1]}'])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(UserError, match="no manifest of test cases"):
        Holdout.load(tmp_path / "m.json")


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(UserError, match="llmseg data split"):
        Holdout.load(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fraction": 0}, r"^fraction is 0; it must be above 0 and below 1$"),
        ({"fraction": 1.0}, r"^fraction is 1\.0; it must be above 0 and below 1$"),
        ({"fraction": -0.1}, r"^fraction is -0\.1; it must be above 0 and below 1$"),
        ({"split": "leaky"}, r"^split is 'leaky'; it may be grouped or random$"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        hold_out(numbered(5), **options)


def test_one_group_cannot_be_divided():
    with pytest.raises(UserError, match="too few groups"):
        hold_out(numbered(5, per_group=5))


class TestOtherGroups:
    """Test cases that were drawn with other groups are another set: no group may end up on both sides unnoticed."""

    @pytest.fixture
    def folders(self, make_folder):
        return make_folder({f"p{patient}_{slice}": (6, 5) for patient, slice in PAIRS})

    @pytest.mark.parametrize("options", [{"group": r"p\d"}, {"group_table": {f"p{p}_{s}": f"{p}" for p, s in PAIRS}}])
    def test_no_group_is_divided(self, folders, options):
        store = FolderStore(*folders, **options)
        holdout = hold_out(store, fraction=0.3)
        assert len(holdout.test_ids) == 6
        assert not {id[:2] for id in holdout.test(store).ids} & {id[:2] for id in holdout.rest(store).ids}

    def test_a_set_drawn_without_groups_would_divide_them(self, folders):
        holdout = hold_out(FolderStore(*folders), fraction=0.2)
        grouped = FolderStore(*folders, group=r"p\d")
        with pytest.raises(UserError, match=r"other groups than .* first 'p\d', would be divided; draw them again"):
            holdout.rest(grouped)
        with pytest.raises(UserError, match=r"with other groups .* is in 'p0'; give the --group or --groups"):
            holdout.test(grouped)
        assert hold_out(grouped, fraction=0.2).digest != holdout.digest

    def test_a_set_drawn_with_groups_keeps_its_images_out_of_a_store_without(self, folders):
        holdout, single = hold_out(FolderStore(*folders, group=r"p\d"), fraction=0.2), FolderStore(*folders)
        assert not set(holdout.test_ids) & set(holdout.rest(single).ids)
        with pytest.raises(UserError, match="with other groups"):
            holdout.test(single)

    def test_random_draws_may_divide_groups(self, folders):
        holdout = hold_out(FolderStore(*folders), fraction=0.2, split="random")
        assert len(holdout.rest(FolderStore(*folders, group=r"p\d")).ids) == 15

    def test_other_cases_are_another_state(self, folders):
        holdout = hold_out(FolderStore(*folders, group=r"p\d"), fraction=0.2)
        (folders[0] / "p0_0.png").rename(folders[0] / "p0_9.png")
        (folders[1] / "p0_0.png").rename(folders[1] / "p0_9.png")
        with pytest.raises(UserError, match="another state"):
            holdout.test(FolderStore(*folders, group=r"p\d"))


class TestWhatAManifestReplaces:
    def test_an_earlier_manifest(self, tmp_path):
        for seed in (0, 1):
            hold_out(numbered(20), seed=seed).save(tmp_path / "h.json")
        assert Holdout.load(tmp_path / "h.json") == hold_out(numbered(20), seed=1)

    @pytest.mark.parametrize("content", [b"", b"[1]", b'{"cases": []}', b"\x89HDF\r\n", b"7"])
    def test_nothing_else(self, content, tmp_path):
        (tmp_path / "h.json").write_bytes(content)
        with pytest.raises(UserError, match=r"is no manifest of test cases and is not replaced; choose another --out"):
            hold_out(numbered(20)).save(tmp_path / "h.json")
        assert (tmp_path / "h.json").read_bytes() == content
        with pytest.raises(UserError, match="is no manifest"):
            hold_out(numbered(20)).save(tmp_path)


def test_a_process_killed_at_any_change_leaves_nothing_after_the_next_one(tmp_path, kill_at_every_change):
    holdout = hold_out(numbered(20))
    for folder in kill_at_every_change(lambda folder: holdout.save(folder / "h.json")):
        holdout.save(folder / "h.json")
        assert [path.name for path in folder.iterdir()] == ["h.json"]
        assert Holdout.load(folder / "h.json") == holdout
