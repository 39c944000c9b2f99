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
