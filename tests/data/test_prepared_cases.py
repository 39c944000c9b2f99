from __future__ import annotations

import dataclasses

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from llmseg import zoo
from llmseg.data.folder import FolderStore
from llmseg.data.prepared_cases import prepare_cases
from llmseg.errors import UserError
from llmseg.zoo.common import NEAREST_MASKS

SMALL = dataclasses.replace(NEAREST_MASKS, size=(8, 12))
CPU = torch.device("cpu")


def small_images(id):
    return dataclasses.replace(zoo.get(id).recipe.images, size=(33, 47))


ONE_OF_EACH = {small_images(id): id for id in zoo.all_names(reference=False)}
"""A pipeline for every way of preparing images."""


def test_every_case_once(tiny_store):
    prepared = prepare_cases(tiny_store, SMALL)
    assert prepared.ids == tiny_store.ids
    assert prepared.size == SMALL.size
    assert prepared.nbytes == 3 * 2 * 8 * 12


@pytest.mark.parametrize("images", ONE_OF_EACH, ids=ONE_OF_EACH.values())
def test_a_batch_holds_the_tensors_of_its_cases(images, colour_phantoms):
    """Bytes and tables give what the recipe gives case by case, to the last bit."""
    store = colour_phantoms
    ids = (store.ids[2], store.ids[0])
    batches = prepare_cases(store, images).batch(ids, CPU)
    expected = [images(store.read(id).image, store.read(id).mask) for id in ids]
    for batch, column in zip(batches, zip(*expected, strict=True), strict=True):
        assert batch.dtype == torch.float32
        assert batch.is_contiguous()
        assert torch.equal(batch, torch.stack(column))


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
@pytest.mark.parametrize("resident", [True, False])
def test_batches_are_made_on_a_gpu_with_and_without_a_number(colour_phantoms, monkeypatch, name, resident):
    """On a GPU that torch only pretends to have: it knows on which device every tensor lies, and computes nothing."""
    prepared = prepare_cases(colour_phantoms, SMALL)

    def pin(values):
        assert values.device.type == "cpu"  # torch refuses to pin what is on a GPU
        return values

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    with FakeTensorMode(allow_non_fake_inputs=True):
        kept = "cuda" if resident else "cpu"
        images, masks = (torch.empty_like(values, device=kept) for values in (prepared.images, prepared.masks))
        tables = tuple(torch.empty_like(table, device="cuda") for table in prepared.tables)
        there = dataclasses.replace(prepared, images=images, masks=masks, tables=tables)
        batch = there.batch(prepared.ids[1::-1], torch.device(name))
    assert [(values.device.type, len(values)) for values in batch] == [("cuda", 2)] * 2


def test_native_size_if_all_are_equal(tiny_store):
    assert prepare_cases(tiny_store, dataclasses.replace(SMALL, size=None)).size == (6, 5)


def test_native_sizes_that_differ_are_refused(make_folder):
    store = FolderStore(*make_folder({"a": (6, 5), "b": (6, 5), "c": (5, 6)}))
    with pytest.raises(UserError) as error:
        prepare_cases(store, dataclasses.replace(SMALL, size=None))
    assert "'a.png' is (6, 5) and 'c.png' is (5, 6)" in str(error.value)
    assert "images.size=256,256" in str(error.value)
    assert prepare_cases(store, SMALL).size == SMALL.size


def test_a_damaged_file_is_reported_before_anything_starts(make_folder):
    images, masks = make_folder({"a": (60, 50), "b": (60, 50)})
    (images / "b.png").write_bytes((images / "b.png").read_bytes()[:100])
    with pytest.raises(UserError, match=r"b\.png is damaged"):
        prepare_cases(FolderStore(images, masks), SMALL)


def test_progress_bar_only_when_asked(tiny_store, capsys):
    prepare_cases(tiny_store, SMALL)
    assert capsys.readouterr() == ("", "")
    prepare_cases(tiny_store, SMALL, progress=True)
    assert "prepare" in capsys.readouterr().err
