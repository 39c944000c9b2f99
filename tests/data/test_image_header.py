"""Orientation flags: what a viewer shows is what is read, where one says so; else it is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from llmseg import FolderStore, UserError
from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.data.image_header import turn_pixels
from llmseg.data.pixels import decode_header, read_image, read_mask
from llmseg.data.reading import Reading
from llmseg.data.reading_check import ReadingWarning, check_reading

IMAGE = np.add.outer(np.arange(40), np.arange(64)).astype(np.uint8) * 2
MASK = np.zeros((40, 64), np.uint8)
MASK[3:12, 5:30] = 255
BACK = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
"""The flag that undoes a flag."""


def save(path, shown, flag):
    """Write a file that viewers show as ``shown``."""
    exif = Image.Exif()
    exif[0x0112] = flag
    Image.fromarray(turn_pixels(shown, BACK[flag])).save(path, exif=exif)
    return path


def write(folder, image_flag, mask_flag=1):
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    for k in range(2):
        save(folder / "images" / f"c{k}.png", np.roll(IMAGE, k), image_flag)
        save(folder / "masks" / f"c{k}.png", MASK, mask_flag)
    return FolderStore(folder / "images", folder / "masks")


@pytest.mark.parametrize("flag", BACK)
def test_files_are_turned_as_pillow_turns_them(tmp_path, flag):
    path = save(tmp_path / "a.png", MASK, flag)
    with Image.open(path) as file:
        np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(file)), MASK)
    turn = Reading(exif="turn")
    np.testing.assert_array_equal(read_image(path, turn), MASK)
    np.testing.assert_array_equal(read_mask(path, turn), MASK)
    np.testing.assert_array_equal(read_mask(path, replace(turn, foreground=255)), MASK)
    for reading in (Reading(), Reading(exif="ignore")):
        np.testing.assert_array_equal(read_image(path, reading), turn_pixels(MASK, BACK[flag]))
    header = decode_header(path.read_bytes(), "a.png")
    assert (header.flag, header.shown_size) == (flag, MASK.shape)


@pytest.mark.parametrize("flag", BACK)
def test_the_mask_fits_where_both_are_turned(tmp_path, flag):
    store = write(tmp_path, flag, 3)
    case = replace(store, reading=Reading(exif="turn")).read("c0.png")
    np.testing.assert_array_equal(case.image, IMAGE)
    np.testing.assert_array_equal(case.mask, MASK)


@pytest.mark.parametrize("flag", [5, 6, 7, 8])
def test_sizes_that_differ_by_a_flag_are_explained_and_the_advice_works(tmp_path, flag):
    store = write(tmp_path, flag)
    said = rf"c0\.png has EXIF orientation flag {flag}, and viewers show both in one size: give --exif turn"
    for reading in (Reading(), Reading(exif="ignore")):
        with pytest.raises(UserError, match=said):
            replace(store, reading=reading).read("c0.png")
    with pytest.raises(UserError, match=rf"EXIF orientation flag {flag}.*give --exif turn"):
        prepare_dataset("folder", tmp_path, tmp_path / "a.h5", progress=False)
    turn = Reading(exif="turn")
    np.testing.assert_array_equal(replace(store, reading=turn).read("c1.png").mask, MASK)
    prepared = prepare_dataset("folder", tmp_path, tmp_path / "a.h5", reading=turn, progress=False)
    np.testing.assert_array_equal(prepared.read("c0.png").image, IMAGE)


def test_a_mask_that_was_drawn_on_stored_pixels_is_told_from_one_on_what_is_shown(tmp_path):
    store = write(tmp_path, 6)
    for k in range(2):
        Image.fromarray(turn_pixels(MASK, 8)).save(tmp_path / "masks" / f"c{k}.png")
    with pytest.raises(UserError, match="both are of one size as they are stored: give --exif ignore"):
        replace(store, reading=Reading(exif="turn")).read("c0.png")
    ignored = replace(store, reading=Reading(exif="ignore"))
    assert ignored.read("c0.png").mask.shape == (64, 40)


@pytest.mark.parametrize(("flags", "what"), [((3, 1), "images"), ((1, 3), "masks")])
def test_a_flag_is_told_until_one_says_what_becomes_of_it(tmp_path, flags, what):
    store = write(tmp_path, *flags)
    with pytest.warns(ReadingWarning, match=f"2 of 2 {what} have an EXIF orientation flag, which is ignored"):
        check_reading(store)
    for choice in ("turn", "ignore"):
        check_reading(replace(store, reading=Reading(exif=choice)))


def test_flags_of_tiff_files_are_a_part_of_the_picture(tmp_path):
    path = save(tmp_path / "a.tif", IMAGE, 6)
    for reading in (Reading(), Reading(exif="turn")):
        np.testing.assert_array_equal(read_image(path, reading), IMAGE)
    assert not decode_header(path.read_bytes(), "a.tif").turned


def test_sizes_that_no_flag_explains(tmp_path):
    store = write(tmp_path, 3)
    save(tmp_path / "masks" / "c0.png", MASK[:10], 1)
    with pytest.raises(UserError, match=r"\(width x height\); make them equal"):
        store.read("c0.png")
