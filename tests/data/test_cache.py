from __future__ import annotations

import dataclasses
import errno
import os
from concurrent.futures import ThreadPoolExecutor

import h5py
import pytest
import torch

from llmseg import zoo
from llmseg.data import cache
from llmseg.data.cache import cache_entries, cache_folder, clear_cache, prepare_cached
from llmseg.data.folder import FolderStore
from llmseg.data.prepared_cases import prepare_cases
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError
from llmseg.zoo.common import NEAREST_MASKS

SMALL = dataclasses.replace(NEAREST_MASKS, size=(8, 12))


def small_images(id):
    return dataclasses.replace(zoo.get(id).recipe.images, size=(33, 47))


ONE_OF_EACH = {small_images(id): id for id in zoo.all_names(reference=False)}
"""A pipeline for every way of preparing images."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(left, right):
    return left.ids == right.ids and all(
        torch.equal(a, b)
        for a, b in zip(
            (left.images, left.masks, *left.tables), (right.images, right.masks, *right.tables), strict=True
        )
    )


@pytest.mark.parametrize("id", ONE_OF_EACH.values())
def test_every_recipe_gets_the_same_bytes(id, phantoms):
    images = small_images(id)
    plain = prepare_cases(phantoms, images)
    assert same(prepare_cached(phantoms, images), plain)
    assert same(prepare_cached(phantoms, images), plain), "read again"


def test_cases_are_prepared_once(tiny_store, monkeypatch, folder):
    prepare_cached(tiny_store, SMALL)
    monkeypatch.setattr(FolderStore, "read", lambda *_: pytest.fail("prepared again"))
    prepare_cached(tiny_store, SMALL)
    assert [path.suffix for path in sorted(folder.iterdir())] == [".h5", ".lock"]


def test_what_decides_the_bytes_decides_the_file(make_folder, monkeypatch):
    images, masks = make_folder()
    prepare_cached(FolderStore(images, masks), SMALL)
    prepare_cached(FolderStore(images, masks), dataclasses.replace(SMALL, size=(8, 13)))
    assert len(cache_entries()) == 2
    (images / "a.png").write_bytes((images / "b.png").read_bytes())
    changed = prepare_cached(FolderStore(images, masks), SMALL)
    assert torch.equal(changed.images[0], changed.images[1])
    monkeypatch.setattr(cache.metadata, "version", lambda name: "another")
    prepare_cached(FolderStore(images, masks), SMALL)
    assert len(cache_entries()) == 4


def test_large_stacks_stay_on_disk(tiny_store, monkeypatch):
    whole = prepare_cached(tiny_store, SMALL)
    monkeypatch.setattr(cache, "RESIDENT_SHARE", 0.0)
    mapped = prepare_cached(tiny_store, SMALL)
    assert same(mapped, whole)
    mapped.images[0] = 0
    assert same(prepare_cached(tiny_store, SMALL), whole), "the file must stay as it is"


@pytest.mark.parametrize("damage", ["cut", "other bytes", "no file of this kind"])
def test_a_damaged_file_is_made_anew(tiny_store, folder, damage):
    whole = prepare_cached(tiny_store, SMALL)
    (path,) = folder.glob("*.h5")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "other bytes":
        with h5py.File(path, "r+") as file:
            file["masks"][1, 0, 2, 3] = 7
    else:
        path.write_bytes(b"something else")
    assert same(prepare_cached(tiny_store, SMALL), whole)


def test_a_failed_build_leaves_nothing(make_folder, folder):
    images, masks = make_folder()
    (images / "c.png").write_bytes((images / "c.png").read_bytes()[:30])
    with pytest.raises(UserError, match=r"c\.png"):
        prepare_cached(FolderStore(images, masks), SMALL)
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_a_full_disk_is_reported(tiny_store, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        prepare_cached(tiny_store, SMALL)
    assert cache_entries() == ()


def test_two_at_once_prepare_once(tiny_store, monkeypatch):
    reads, read = [], FolderStore.read
    monkeypatch.setattr(FolderStore, "read", lambda self, id: (reads.append(id), read(self, id))[1])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: prepare_cached(tiny_store, SMALL), range(4)))
    assert all(same(found[0], other) for other in found)
    assert sorted(reads) == sorted(tiny_store.ids)


def test_list_and_clear(tiny_store):
    assert (cache_entries(), clear_cache()) == ((), 0)
    prepare_cached(tiny_store, SMALL)
    (entry,) = cache_entries()
    assert (entry.store, entry.cases, entry.shape) == (tiny_store.name, 3, (1, 8, 12))
    assert clear_cache() == entry.nbytes
    assert list(cache_folder().iterdir()) == []


def test_clear_removes_what_a_killed_process_left(tiny_store, folder):
    prepare_cached(tiny_store, SMALL)
    (path,) = folder.glob("*.h5")
    (folder / f".{path.name}-abc.part").write_bytes(b"half")
    clear_cache()
    assert list(folder.iterdir()) == []


def test_a_place_that_takes_no_cache(tiny_store, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="cannot make the folder"):
        prepare_cached(tiny_store, SMALL)


def test_phantoms_are_cached_by_what_they_are():
    prepare_cached(SyntheticStore("endoscopy", count=2), SMALL)
    prepare_cached(SyntheticStore("endoscopy", count=3), SMALL)
    assert sorted(entry.cases for entry in cache_entries()) == [2, 3]
