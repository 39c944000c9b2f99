from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.utils.data import DataLoader

from llmseg.data.prepared import PreparedCases, prepare, working_size
from llmseg.data.store import FolderStore
from llmseg.errors import UserError
from llmseg.zoo.common import NEAREST_MASKS

SMALL = dataclasses.replace(NEAREST_MASKS, size=(8, 12))


def test_every_case_once(tiny_store):
    prepared = prepare(tiny_store, SMALL)
    assert tuple(prepared) == tiny_store.ids
    for id, tensors in prepared.items():
        case = tiny_store.read(id)
        for found, expected in zip(tensors, SMALL(case.image, case.mask), strict=True):
            assert torch.equal(found, expected)
    assert working_size(prepared) == SMALL.size


def test_native_size_if_all_are_equal(tiny_store):
    assert working_size(prepare(tiny_store, dataclasses.replace(SMALL, size=None))) == (6, 5)


def test_native_sizes_that_differ_are_refused(make_folder):
    store = FolderStore(*make_folder({"a": (6, 5), "b": (6, 5), "c": (5, 6)}))
    with pytest.raises(UserError) as error:
        prepare(store, dataclasses.replace(SMALL, size=None))
    message = str(error.value)
    assert "'a.png' is (6, 5) and 'c.png' is (5, 6)" in message
    assert "images.size=256,256" in message
    assert working_size(prepare(store, SMALL)) == SMALL.size


def test_a_damaged_file_is_reported_before_anything_starts(make_folder):
    images, masks = make_folder({"a": (60, 50), "b": (60, 50)})
    (images / "b.png").write_bytes((images / "b.png").read_bytes()[:100])
    with pytest.raises(UserError, match=r"b\.png is damaged"):
        prepare(FolderStore(images, masks), SMALL)


def test_progress_bar_only_when_asked(tiny_store, capsys):
    prepare(tiny_store, SMALL)
    assert capsys.readouterr() == ("", "")
    prepare(tiny_store, SMALL, progress=True)
    assert "prepare" in capsys.readouterr().err


def test_data_set_yields_the_given_cases_in_the_given_order(tiny_store):
    prepared = prepare(tiny_store, SMALL)
    cases = PreparedCases(prepared, ("c.png", "a.png"))
    assert len(cases) == 2
    ((image, mask, ids),) = DataLoader(cases, batch_size=2)
    assert tuple(ids) == ("c.png", "a.png")
    assert torch.equal(image[1], prepared["a.png"][0])
    assert torch.equal(mask[0], prepared["c.png"][1])
