"""Files of several pages: refused until one says which page is meant, then read as that, or each page as a case."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, UserError, zoo
from llmseg.data.doctor import examine
from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.data.image_check import check_image_files
from llmseg.data.pixels import decode_header, read_image
from llmseg.data.reading import Reading
from llmseg.data.reading_check import check_reading
from llmseg.data.store_source import describe_source, open_source
from llmseg.prediction.predict import predict

PAGES = 4
EACH, FIRST, THIRD = Reading(pages="each"), Reading(pages="first"), Reading(pages=3)


def image(k, page):
    return np.add.outer(np.arange(32), np.arange(48)).astype(np.uint8) + np.uint8(40 * page + k)


def mask(k, page):
    values = np.zeros((32, 48), np.uint8)
    values[3 + 4 * page : 9 + 4 * page, 10 + k : 30] = 255
    return values


def save(path, draw, k, pages=PAGES):
    first, *others = (Image.fromarray(draw(k, page)) for page in range(pages))
    first.save(path, save_all=True, append_images=others)


def write(folder, extension=".tif", mask_pages=PAGES):
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    for k in range(3):
        save(folder / "images" / f"volume{k}{extension}", image, k)
        save(folder / "masks" / f"volume{k}{extension}", mask, k, mask_pages)
    return FolderStore(folder / "images", folder / "masks")


@pytest.mark.parametrize("extension", [".tif", ".gif"])
def test_they_are_refused_and_every_choice_works(tmp_path, extension):
    store = write(tmp_path, extension)
    with pytest.raises(UserError, match=r"6 of 6 files have several pages, such as volume0\..* \(4\); choose") as error:
        check_reading(store)
    assert any(finding.kind == "reading" for finding in examine(store).of("error"))
    for choice in ("each", "first", "2"):
        assert f"--pages {choice}" in str(error.value)
        check_reading(replace(store, reading=Reading(pages=choice)))


@pytest.mark.parametrize(("reading", "page"), [(Reading(), 0), (FIRST, 0), (THIRD, 2)])
def test_one_page_is_read(tmp_path, reading, page):
    store = replace(write(tmp_path), reading=reading)
    assert store.ids == ("volume0.tif", "volume1.tif", "volume2.tif")
    np.testing.assert_array_equal(store.read("volume1.tif").image, image(1, page))
    np.testing.assert_array_equal(store.read("volume1.tif").mask, mask(1, page))


def test_each_page_is_a_case_and_those_of_a_file_a_group(tmp_path):
    plain = write(tmp_path)
    store = replace(plain, reading=EACH)
    assert len(store.ids) == 3 * PAGES
    assert store.ids[:2] == ("volume0_page001.tif", "volume0_page002.tif")
    for k in range(3):
        for page in range(PAGES):
            case = store.read(f"volume{k}_page{page + 1:03d}.tif")
            np.testing.assert_array_equal(case.image, image(k, page))
            np.testing.assert_array_equal(case.mask, mask(k, page))
    assert store.groups["volume1_page003.tif"] == "volume1.tif"
    patients = replace(store, group_table={"volume0": "a", "volume1": "a", "volume2": "b"})
    assert [patients.groups[f"volume{k}_page004.tif"] for k in range(3)] == ["a", "a", "b"]
    assert len({plain.digest, store.digest, replace(plain, reading=FIRST).digest}) == 3
    assert open_source(describe_source(store)).digest == store.digest


def test_a_prepared_store_is_read_alike(tmp_path):
    store = replace(write(tmp_path), reading=EACH)
    with pytest.raises(UserError, match="choose --pages each"):
        prepare_dataset("folder", tmp_path, tmp_path / "a.h5", progress=False)
    prepared = prepare_dataset("folder", tmp_path, tmp_path / "a.h5", reading=EACH, progress=False)
    assert prepared.ids == store.ids
    assert dict(prepared.groups) == dict(store.groups)
    for id in store.ids:
        np.testing.assert_array_equal(prepared.read(id).image, store.read(id).image)
        np.testing.assert_array_equal(prepared.read(id).mask, store.read(id).mask)


def test_image_and_mask_need_as_many_pages(tmp_path):
    store = write(tmp_path, mask_pages=2)
    message = r"has 4 pages, its mask (masks/)?volume0\.tif 2; --pages each needs as many in both, --pages first"
    with pytest.raises(UserError, match=message):
        replace(store, reading=EACH)
    with pytest.raises(UserError, match=message):
        prepare_dataset("folder", tmp_path, tmp_path / "a.h5", reading=EACH, progress=False)
    check_reading(replace(store, reading=FIRST))
    with pytest.raises(UserError, match=r"volume0\.tif has 2 pages, and no page 3"):
        check_reading(replace(store, reading=THIRD))


def test_a_mask_of_one_page_belongs_to_the_page_that_is_named(tmp_path):
    store = replace(write(tmp_path, mask_pages=1), reading=THIRD)
    np.testing.assert_array_equal(store.read("volume0.tif").image, image(0, 2))
    np.testing.assert_array_equal(store.read("volume0.tif").mask, mask(0, 0))


def test_masks_of_several_pages_are_refused_too(tmp_path):
    store = write(tmp_path)
    for path in (tmp_path / "images").iterdir():
        Image.fromarray(image(0, 0)).save(path)
    with pytest.raises(UserError, match="3 of 6 files have several pages"):
        check_reading(store)


def test_files_of_one_page_are_read_as_ever(tmp_path):
    write(tmp_path)
    for name, draw in (("images", image), ("masks", mask)):
        Image.fromarray(draw(0, 0)).save(tmp_path / name / "single.png")
    store = FolderStore(tmp_path / "images", tmp_path / "masks", reading=EACH)
    assert "single.png" in store.ids
    assert store.groups["single.png"] == "single.png"


def test_a_page_with_the_name_of_another_case_is_refused(tmp_path):
    write(tmp_path)
    for name, draw in (("images", image), ("masks", mask)):
        Image.fromarray(draw(0, 0)).save(tmp_path / name / "volume1_page002.tif")
    with pytest.raises(UserError, match=r"would be called volume1_page002\.tif, as another case"):
        FolderStore(tmp_path / "images", tmp_path / "masks", reading=EACH)


def test_smaller_copies_of_a_page_are_none(tmp_path):
    whole, small = Image.fromarray(image(0, 0)), Image.fromarray(image(0, 0)[::2, ::2])
    small.encoderinfo = {"tiffinfo": {254: 1}}
    whole.save(tmp_path / "a.tif", save_all=True, append_images=[small])
    assert len(decode_header((tmp_path / "a.tif").read_bytes(), "a.tif").pages) == 1
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image(0, 0))


@pytest.mark.parametrize("value", ["all", "0", "-1", "1.5"])
def test_other_words_are_refused(value):
    with pytest.raises(UserError, match="must be first, each or a number from 1"):
        Reading(pages=value)


def test_pages_are_predicted_by_the_reading(tmp_path):
    write(tmp_path)
    paths = sorted((tmp_path / "images").iterdir())
    refusal, _ = check_image_files(paths)
    assert "3 of 3 files have several pages" in refusal
    assert check_image_files(paths, EACH) == (None, [])
    recipe = zoo.get("gpt-4").recipe.change("images.size", (32, 32))
    net = recipe.net.build(recipe.images.channels)
    masks = predict(net, recipe, tmp_path / "images", tmp_path / "out", reading=EACH, device="cpu", progress=False)
    assert [path.name for path in masks][:2] == ["volume0_page001.png", "volume0_page002.png"]
    assert len(masks) == 3 * PAGES
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predict(net, recipe, tmp_path / "images", tmp_path / "first", reading=FIRST, device="cpu", progress=False)


def test_commands_take_it(tmp_path, call):
    write(tmp_path)
    command = ["data", "split", "--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    command += ["--out", str(tmp_path / "test.json"), "--fraction", "0.3"]
    code, _, err = call(*command)
    assert code == 2
    assert "choose --pages each" in err
    assert call(*command, "--pages", "each")[0] == 0
