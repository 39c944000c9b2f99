"""Stores from elsewhere: checked once when they are opened, one line says what is wrong."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest

from llmseg import Hdf5Store, SyntheticStore, UserError, zoo
from llmseg.data.cache import prepare_cached
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case
from llmseg.data.subset import Subset

TEXT = h5py.string_dtype()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    phantoms = SyntheticStore("fundus", count=4)
    path = tmp_path_factory.mktemp("stores") / "good.h5"
    write_store(path, "phantoms", (pack_case(phantoms.read(id), "") for id in phantoms.ids), {})
    return path


def put(name, data, **options):
    def change(file):
        del file[name]
        file.create_dataset(name, data=data, **options)

    return change


def set_row(name, row, value):
    return lambda file: file[name].__setitem__(row, value)


def claim(name, count, dtype):
    def change(file):
        del file[name]
        file.create_dataset(name, shape=(count,), dtype=dtype, chunks=(2**16,), compression="gzip")

    return change


def link(name, target):
    def change(file):
        del file[name]
        file[name] = target

    return change


def exchange_shape(file):
    height, width, channels = file["shapes"][0]
    file["shapes"][0] = [height // 2, width * 2, channels]


def exchange_rows(file, name):
    rows = file[name][()]
    rows[[0, 1]] = rows[[1, 0]]
    file[name][()] = rows


CASES = {
    "shapes too large": (set_row("shapes", 0, [10**6, 10**6, 1]), "is too large"),
    "shapes of 0": (set_row("shapes", 0, [0, 0, 1]), "has the shape 0 x 0 x 1"),
    "shapes below 0": (set_row("shapes", 0, [-64, -64, 3]), "has the shape -64 x -64 x 3"),
    "two channels": (set_row("shapes", 0, [4, 4, 2]), "has the shape 4 x 4 x 2"),
    "starts behind the end": (set_row("starts", 0, [10**12, 10**12]), "does not lie in the file"),
    "starts below 0": (set_row("starts", 1, [-65536, 0]), "does not lie in the file"),
    "shapes flat": (put("shapes", [1, 2, 3, 4]), "'shapes' has the type int64 and the shape"),
    "starts float": (put("starts", np.zeros((4, 2))), "'starts' has the type float64"),
    "fewer groups": (put("groups", ["a"], dtype=TEXT), "'groups' has the shape .1,., and there are 4 cases"),
    "no cases": (put("ids", [], dtype=TEXT, shape=(0,)), "'ids' has the shape .0,"),
    "ids numbers": (put("ids", np.arange(4)), "'ids' holds no texts"),
    "ids of two dimensions": (put("ids", np.array([["a"] * 2] * 2, dtype=object), dtype=TEXT), "'ids' has the shape"),
    "ids no UTF-8": (put("ids", [b"\xff%d" % k for k in range(4)], dtype=TEXT), "is damaged .*utf-8"),
    "ids twice": (lambda file: file["ids"].__setitem__(1, file["ids"][0]), "has the case '.*' twice"),
    "another group": (set_row("groups", 0, "other"), "was changed after it was made"),
    "another id": (set_row("ids", 0, "other.png"), "was changed after it was made"),
    "shapes exchanged": (lambda file: exchange_shape(file), "was changed after it was made: shapes"),
    "places exchanged": (lambda file: exchange_rows(file, "starts"), "was changed after it was made: shapes, places"),
    "another part": (set_row("parts", 0, "test"), "was changed after it was made: shapes, places, parts"),
    "another name": (lambda file: file.attrs.__setitem__("name", "other"), "parts, name or provenance"),
    "another licence": (lambda file: file.attrs.__setitem__("provenance", '{"licence": "free"}'), "or provenance"),
    "another digest of the file": (lambda file: file.attrs.__setitem__("file_digest", 5), "was changed after"),
    "claims files without partner": (claim("alone", 10**12, TEXT), "'alone' has the shape"),
    "images a group": (lambda file: (file.__delitem__("images"), file.create_group("images")), "'images' is no table"),
    "images float": (put("images", np.zeros(100)), "'images' has the type float64"),
    "masks of two dimensions": (put("masks", np.zeros((9, 9), np.uint8)), "'masks' has the type uint8 and 2"),
    "digest a number": (lambda file: file.attrs.__setitem__("digest", 5), "'digest' is no text"),
    "no name": (lambda file: file.attrs.__delitem__("name"), "'name' is missing"),
    "provenance": (lambda file: file.attrs.__setitem__("provenance", "{"), "'provenance' holds no JSON object"),
    "claims ids": (claim("ids", 10**12, "S8"), "'ids' has the shape"),
    "claims shapes": (claim("shapes", 2 * 10**9, np.int64), "'shapes' has the type"),
    "claims bytes": (
        lambda file: (claim("images", 10**13, np.uint8)(file), set_row("shapes", 0, [50000, 50000, 1])(file)),
        "is too large",
    ),
    "a link to itself": (link("groups", h5py.SoftLink("/groups")), "'groups' is no table in this file"),
    "a link to another file": (link("groups", h5py.ExternalLink("/x.h5", "/ids")), "is no (store|table)"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_is_wrong(good, tmp_path, case):
    change, message = CASES[case]
    path = shutil.copy(good, tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(UserError, match=message) as refused:
        Hdf5Store(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_data_of_another_file_are_not_read(good, tmp_path):
    path = shutil.copy(good, tmp_path / "x.h5")
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"0123456789" * 4)
    with h5py.File(path, "r+") as file:
        del file["ids"]
        file.create_dataset("ids", shape=(4,), dtype="S10", external=[(str(secret), 0, 40)])
    with pytest.raises(UserError, match="'ids' is no table in this file"):
        Hdf5Store(path)


def test_a_store_as_it_was_written_opens(good):
    assert len(Hdf5Store(good).ids) == 4


def test_a_store_of_an_earlier_version_opens_and_its_shapes_are_not_believed(good, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    images = zoo.get("llama-3.1-405b").recipe.change("images.size", (32, 32)).images
    whole, old, changed = (shutil.copy(good, tmp_path / f"{name}.h5") for name in ("whole", "old", "changed"))
    for path in (old, changed):
        with h5py.File(path, "r+") as file:
            del file.attrs["file_digest"]
            if path == changed:
                exchange_shape(file)
    prepared = [prepare_cached(Hdf5Store(path), images).images for path in (whole, old)]
    assert prepared[0].equal(prepared[1])
    assert Hdf5Store(old).digest == Hdf5Store(whole).digest == Hdf5Store(changed).digest
    for store in (Hdf5Store(changed), Subset(Hdf5Store(changed), Hdf5Store(changed).ids)):
        with pytest.raises(UserError, match="is damaged at case"):  # though the cache is warm for this digest
            prepare_cached(store, images)
