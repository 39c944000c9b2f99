"""What every store promises: ids, groups, a digest, and cases of one form."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg import FolderStore, SyntheticStore, UserError
from llmseg.data import Subset
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case


@pytest.fixture(params=["folder", "hdf5", "synthetic", "subset"])
def store(request, make_folder, tmp_path):
    phantoms = SyntheticStore("mri-myoma", count=9)
    if request.param == "folder":
        return FolderStore(*make_folder())
    if request.param == "hdf5":
        cases = (pack_case(phantoms.read(id), phantoms.groups[id]) for id in phantoms.ids[:3])
        return write_store(tmp_path / "s.h5", "phantoms", cases, {})
    return phantoms if request.param == "synthetic" else Subset(phantoms, phantoms.ids[2:5])


def test_ids_and_groups(store):
    assert len(set(store.ids)) == len(store.ids) >= 3
    assert list(store.ids) == sorted(store.ids)
    assert tuple(store.groups) == store.ids
    assert all(store.groups.values())


def test_cases(store):
    for id in store.ids:
        case = store.read(id)
        assert case.id == id
        assert case.image.dtype == case.mask.dtype == np.uint8
        assert case.image.shape[:2] == case.mask.shape
        assert case.image.shape[2:] in ((), (3,))


def test_name_and_digest(store):
    assert store.name
    assert len(store.digest) == 64
    assert int(store.digest, 16) > 0


def test_a_case_it_does_not_have(store):
    with pytest.raises(UserError, match=r"no case 'elsewhere\.png'"):
        store.read("elsewhere.png")
