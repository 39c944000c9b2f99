from __future__ import annotations

import json
import shutil

import pytest

from llmseg import FolderStore, SyntheticStore
from llmseg.data.hdf5 import packed, write_store
from llmseg.data.store_source import source_of, store_at
from llmseg.data.subset import Subset


@pytest.fixture(params=["folders", "file", "phantoms"])
def store(request, make_folder, tmp_path):
    if request.param == "phantoms":
        return SyntheticStore("fundus", count=3, seed=4)
    folders = FolderStore(*make_folder(suffix="_m"), mask_suffix="_m", orphans="skip")
    if request.param == "folders":
        return folders
    return write_store(tmp_path / "s.h5", "s", (packed(folders.read(id), id) for id in folders.ids), {})


def test_what_was_written_down_makes_the_store_again(store):
    again = store_at(json.loads(json.dumps(source_of(store))))
    assert type(again) is type(store)
    assert again.digest == store.digest
    assert source_of(Subset(store, store.ids[:1])) == source_of(store)


def test_paths_do_not_depend_on_where_one_is(make_folder, monkeypatch, tmp_path):
    make_folder()
    monkeypatch.chdir(tmp_path)
    source = source_of(FolderStore("images", "masks"))
    monkeypatch.chdir("/")
    assert len(store_at(source).ids) == 3


def test_what_cannot_be_opened_is_none(make_folder):
    images, masks = make_folder()
    source = source_of(FolderStore(images, masks))
    shutil.rmtree(images)
    assert store_at(source) is None
    assert store_at(None) is None
    assert store_at({"kind": "Other"}) is None
    assert store_at({"kind": "SyntheticStore", "colour": "red"}) is None


def test_a_store_from_outside_has_none():
    class Own(SyntheticStore):
        pass

    assert source_of(Own("fundus")) is None
