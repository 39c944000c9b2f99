from __future__ import annotations

import json

import pytest

from llmseg import FolderStore, Holdout, UserError, hold_out

PAIRS = [(patient, slice) for patient in range(6) for slice in range(3)]


def held(holdout: Holdout) -> set[str]:
    return set(holdout.test_ids)


def test_of_another_store_equal_images_are_left_out(numbered, grouped):
    store = numbered(30)
    holdout = hold_out(store, fraction=0.2)
    renamed = grouped(
        {f"other{id}": id for id in store.ids},
        images={f"other{id}": place for place, id in enumerate(store.ids)},
        digest="1" * 64,
    )
    assert {id.removeprefix("other") for id in holdout.rest(renamed).ids} == set(store.ids) - held(holdout)
    with pytest.raises(UserError, match="another state of grouped"):
        holdout.test(renamed)


def test_a_manifest_is_read_as_written(tmp_path, numbered):
    holdout = hold_out(numbered(12), fraction=0.25)
    holdout.save(tmp_path / "m.json")
    assert Holdout.load(tmp_path / "m.json") == holdout
    assert json.loads((tmp_path / "m.json").read_text())["digest"] == holdout.digest


def test_a_changed_manifest_is_refused(tmp_path, numbered):
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
    def test_an_earlier_manifest(self, tmp_path, numbered):
        for seed in (0, 1):
            hold_out(numbered(20), seed=seed).save(tmp_path / "h.json")
        assert Holdout.load(tmp_path / "h.json") == hold_out(numbered(20), seed=1)

    @pytest.mark.parametrize("content", [b"", b"[1]", b'{"cases": []}', b"\x89HDF\r\n", b"7"])
    def test_nothing_else(self, content, tmp_path, numbered):
        (tmp_path / "h.json").write_bytes(content)
        with pytest.raises(UserError, match=r"is no manifest of test cases and is not replaced; choose another --out"):
            hold_out(numbered(20)).save(tmp_path / "h.json")
        assert (tmp_path / "h.json").read_bytes() == content
        with pytest.raises(UserError, match="is no manifest"):
            hold_out(numbered(20)).save(tmp_path)


def test_a_process_killed_at_any_change_leaves_nothing_after_the_next_one(tmp_path, kill_at_every_change, numbered):
    holdout = hold_out(numbered(20))
    for folder in kill_at_every_change(lambda folder: holdout.save(folder / "h.json")):
        holdout.save(folder / "h.json")
        assert [path.name for path in folder.iterdir()] == ["h.json"]
        assert Holdout.load(folder / "h.json") == holdout
