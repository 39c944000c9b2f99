from __future__ import annotations

import json
import shutil

import pytest

from llmseg import FolderStore, SyntheticStore
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case
from llmseg.data.store_source import describe_source, open_source
from llmseg.data.subset import Subset


@pytest.fixture(params=["folders", "file", "phantoms"])
def store(request, make_folder, tmp_path):
    if request.param == "phantoms":
        return SyntheticStore("fundus", count=3, seed=4)
    folders = FolderStore(*make_folder(suffix="_m"), mask_suffix="_m", orphans="skip")
    if request.param == "folders":
        return folders
    return write_store(tmp_path / "s.h5", "s", (pack_case(folders.read(id), id) for id in folders.ids), {})


def test_what_was_written_down_makes_the_store_again(store):
    again = open_source(json.loads(json.dumps(describe_source(store))))
    assert type(again) is type(store)
    assert again.digest == store.digest
    assert describe_source(Subset(store, store.ids[:1])) == describe_source(store)


def test_paths_do_not_depend_on_where_one_is(make_folder, monkeypatch, tmp_path):
    make_folder()
    monkeypatch.chdir(tmp_path)
    source = describe_source(FolderStore("images", "masks"))
    monkeypatch.chdir("/")
    assert len(open_source(source).ids) == 3


def test_what_cannot_be_opened_is_none(make_folder):
    images, masks = make_folder()
    source = describe_source(FolderStore(images, masks))
    shutil.rmtree(images)
    assert open_source(source) is None
    assert open_source(None) is None
    assert open_source({"kind": "Other"}) is None
    assert open_source({"kind": "SyntheticStore", "colour": "red"}) is None


def test_a_store_from_outside_has_none():
    class Own(SyntheticStore):
        pass

    assert describe_source(Own("fundus")) is None


class TestGroups:
    """A store that was opened with groups is opened with them again, and others are written down as before."""

    @pytest.fixture
    def folders(self, make_folder):
        return make_folder({f"p{patient}_{slice}": (6, 5) for patient in range(2) for slice in range(2)})

    def test_without_groups_nothing_is_written_about_them(self, folders):
        assert list(describe_source(FolderStore(*folders))) == [
            "kind",
            "images",
            "masks",
            "mask_suffix",
            "foreground",
            "orphans",
        ]

    @pytest.mark.parametrize("way", ["pattern", "table", "mapping"])
    def test_groups_come_back(self, folders, way, tmp_path, monkeypatch):
        (tmp_path / "groups.csv").write_text("case,group\np0_0,p0\np0_1,p0\np1_0,p1\np1_1,p1\n")
        monkeypatch.chdir(tmp_path)
        options = {
            "pattern": {"group": r"p\d"},
            "table": {"group_table": "groups.csv"},
            "mapping": {"group_table": {"p0_0": "p0", "p0_1": "p0", "p1_0": "p1", "p1_1": "p1"}},
        }
        store = FolderStore(*folders, **options[way])
        source = json.loads(json.dumps(describe_source(store)))
        monkeypatch.chdir("/")
        again = open_source(source)
        assert again.groups == store.groups == {id: id[:2] for id in store.ids}
        assert again.digest == store.digest

    def test_a_table_that_is_gone_is_no_store(self, folders, tmp_path):
        table = tmp_path / "groups.csv"
        table.write_text("case,group\np0_0,p0\np0_1,p0\np1_0,p1\np1_1,p1\n")
        source = describe_source(FolderStore(*folders, group_table=table))
        table.unlink()
        assert open_source(source) is None
