"""Numbers of more than 8 bits: each rule, what is refused without one, and that the advice works."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, UserError
from llmseg.data.depth import parse_depth, scale_to_bytes
from llmseg.data.doctor import examine
from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.data.pixels import read_image, read_mask
from llmseg.data.reading import Reading
from llmseg.data.reading_check import ReadingWarning, check_reading

GREY = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8) * 2
"""An image of 127 grey levels, the largest 252."""

STORED = {
    "10 bits in 16": (".png", lambda grey: grey.astype(np.uint16) * 4, 10),
    "12 bits in 16": (".png", lambda grey: grey.astype(np.uint16) * 16, 12),
    "14 bits in 16": (".tif", lambda grey: grey.astype(np.uint16) * 64, 14),
    "8 bits in 16": (".png", lambda grey: grey.astype(np.uint16), 8),
    "floats to 1": (".tif", lambda grey: grey.astype(np.float32) / 255, "unit"),
    "floats to 255": (".tif", lambda grey: grey.astype(np.float32), 8),
    "CT": (".tif", lambda grey: grey.astype(np.int32) * 8 - 1024, "window:-1024,1016"),
    "signed 16 bits": (".tif", lambda grey: grey.astype(np.int16) * 8 - 1024, "window:-1024,1016"),
    "32 bits": (".tif", lambda grey: grey.astype(np.int32) * 1000, "window:0,255000"),
}


def write(folder, extension, make, spoil=None):
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for k in range(3):
        values = make(np.roll(GREY, k, axis=0))
        if spoil is not None and k == 1:
            values[0, 0] = spoil
        pixels = Image.fromarray(values) if values.dtype != np.int16 else None
        path = folder / "images" / f"c{k}{extension}"
        pixels.save(path) if pixels else cv2.imwrite(str(path), values)
        mask = np.zeros((64, 64), np.uint8)
        mask[10:20, 10 + k : 30] = 255
        Image.fromarray(mask).save(folder / "masks" / f"c{k}.png")
    return FolderStore(folder / "images", folder / "masks")


def advised(error):
    advice = str(error.value).partition("choose")[2]
    return re.findall(r"--depth ([^ ,;]+(?:,[\d.]+)?)", advice)


def said(work):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return " ".join(str(warning.message) for warning in caught if warning.category is ReadingWarning)


class TestRule:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("12", 12),
            (16, 16),
            ("unit", "unit"),
            ("window:-160, 240.0", "window:-160,240"),
            ("percentiles:0.5,99.5", "percentiles:0.5,99.5"),
            (None, None),
        ],
    )
    def test_it_has_one_spelling(self, text, value):
        assert parse_depth(text) == value == Reading(depth=text).depth

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("7", "from 8 to 32"),
            ("twelve", "must be a number of bits"),
            ("windw:1,2", "did you mean 'window:LOW,HIGH'"),
            ("window:5", "must be"),
            ("window:5,5", "below"),
            ("window:0,nan", "below"),
            ("percentiles:0,101", "0 to 100"),
            ("percentiles:a,b", "must be"),
        ],
    )
    def test_others_are_refused(self, text, word):
        with pytest.raises(UserError, match=word):
            parse_depth(text)

    @pytest.mark.parametrize(
        ("depth", "numbers", "expected"),
        [
            (None, np.array([0, 257, 65535], np.uint16), [0, 1, 255]),
            (16, np.array([0, 257, 65535], np.uint16), [0, 1, 255]),
            (12, np.array([0, 2048, 4095], np.uint16), [0, 128, 255]),
            (8, np.array([0, 7, 255], np.float32), [0, 7, 255]),
            ("unit", np.array([0, 0.5, 1], np.float32), [0, 128, 255]),
            ("window:-160,240", np.array([-1000, 40, 3000], np.int32), [0, 128, 255]),
            ("percentiles:0,100", np.array([-10, 0, 10], np.int32), [0, 128, 255]),
        ],
    )
    def test_what_it_gives(self, depth, numbers, expected):
        assert scale_to_bytes(numbers[None], depth, "a").ravel().tolist() == expected

    @pytest.mark.parametrize("depth", [8, 12, "unit"])
    @pytest.mark.parametrize("value", [-1, 5000])
    def test_what_is_not_as_it_says_is_refused_and_the_advice_works(self, depth, value):
        numbers = np.array([[0, 1, value]], np.int32)
        with pytest.raises(UserError, match=r"a\.tif has values from") as error:
            scale_to_bytes(numbers, depth, "a.tif")
        for choice in advised(error):
            assert scale_to_bytes(numbers, parse_depth(choice), "a.tif").dtype == np.uint8

    def test_percentiles_leave_a_hot_pixel_out(self):
        numbers = GREY.astype(np.uint16) * 16
        numbers[5, 5] = 65535
        assert len(np.unique(scale_to_bytes(numbers, None, "a"))) < 32
        assert len(np.unique(scale_to_bytes(numbers, "percentiles:0.5,99.5", "a"))) > 100

    def test_of_equal_percentiles_the_whole_range_is_taken(self):
        numbers = np.zeros((40, 40), np.uint16)
        numbers[3, 4:6] = 100, 200
        assert scale_to_bytes(numbers, "percentiles:0.5,99.5", "a")[3, 3:7].tolist() == [0, 128, 255, 0]
        assert not scale_to_bytes(np.full((4, 4), 7, np.uint16), "percentiles:0,100", "a").any()


class TestStore:
    @pytest.mark.parametrize("kind", STORED)
    def test_it_is_refused_and_every_choice_works(self, tmp_path, kind):
        extension, make, depth = STORED[kind]
        store = write(tmp_path, extension, make)
        with pytest.raises(UserError, match="more than 8 bits and hold values") as error:
            check_reading(store)
        assert any(finding.kind == "reading" for finding in examine(store).of("error"))
        assert len(advised(error)) >= 2
        for choice in advised(error):
            said(lambda depth=choice: check_reading(replace(store, reading=Reading(depth=depth))))
        assert str(depth) in advised(error) or kind in ("CT", "signed 16 bits", "32 bits")
        chosen = replace(store, reading=Reading(depth=depth))
        assert np.abs(chosen.read(f"c1{extension}").image.astype(int) - np.roll(GREY, 1, axis=0)).max() <= 1
        assert said(lambda: check_reading(chosen)) == ""
        assert chosen.digest != store.digest

    def test_sixteen_bits_that_are_used_need_no_word(self, tmp_path):
        store = write(tmp_path, ".png", lambda grey: grey.astype(np.uint16) * 257)
        assert said(lambda: check_reading(store)) == ""
        np.testing.assert_array_equal(store.read("c0.png").image, GREY)

    def test_a_hot_pixel_in_twelve_bits_is_refused_with_a_window(self, tmp_path):
        store = write(tmp_path, ".png", lambda grey: grey.astype(np.uint16) * 16, spoil=65535)
        with pytest.raises(UserError, match=r"window:0,4095 to cut off the few") as error:
            check_reading(store)
        for choice in advised(error):
            said(lambda depth=choice: check_reading(replace(store, reading=Reading(depth=depth))))
        with pytest.raises(UserError, match=r"c1\.png has values from 0 to 65535, --depth 12 is for 0 to 4095"):
            check_reading(replace(store, reading=Reading(depth=12)))

    def test_a_depth_says_nothing_to_eight_bits(self, tmp_path):
        store = write(tmp_path, ".png", lambda grey: grey)
        with pytest.raises(UserError, match="all 3 have 8, which are as they are; leave it out"):
            check_reading(replace(store, reading=Reading(depth=12)))

    def test_floats_to_one_are_not_read_as_black(self, tmp_path):
        store = write(tmp_path, ".tif", STORED["floats to 1"][1])
        with pytest.raises(UserError, match="choose --depth unit"):
            store.read("c0.tif")

    def test_a_prepared_store_is_read_alike(self, tmp_path):
        store = write(tmp_path, ".png", STORED["12 bits in 16"][1])
        with pytest.raises(UserError, match="choose --depth 12"):
            prepare_dataset("folder", tmp_path, tmp_path / "a.h5", progress=False)
        chosen = Reading(depth=12)
        prepared = prepare_dataset("folder", tmp_path, tmp_path / "a.h5", reading=chosen, progress=False)
        for id in store.ids:
            np.testing.assert_array_equal(prepared.read(id).image, replace(store, reading=chosen).read(id).image)
        assert prepared.provenance["options"]["reading"]["depth"] == 12

    def test_commands_refuse_and_take_it(self, tmp_path, call):
        write(tmp_path, ".png", STORED["12 bits in 16"][1])
        command = ["data", "split", "--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
        command += ["--out", str(tmp_path / "test.json"), "--fraction", "0.4"]
        code, _, err = call(*command)
        assert code == 2
        assert "choose --depth 12" in err
        assert call(*command, "--depth", "12")[0] == 0
        assert (tmp_path / "test.json").exists()


class TestColour:
    COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)

    @pytest.mark.parametrize("extension", [".png", ".tif", ".ppm"])
    def test_bits_that_pillow_drops_are_read(self, tmp_path, extension):
        path = tmp_path / f"a{extension}"
        cv2.imwrite(str(path), self.COLOUR[..., ::-1].astype(np.uint16) * 16)
        assert np.abs(read_image(path, Reading(depth=12)).astype(int) - self.COLOUR).max() <= 1

    def test_they_are_refused_without_a_word(self, tmp_path):
        store = write(tmp_path, ".png", lambda grey: grey)
        for path in (tmp_path / "images").iterdir():
            cv2.imwrite(str(path), self.COLOUR.astype(np.uint16) * 16)
        with pytest.raises(UserError, match="choose --depth 12"):
            check_reading(store)
        check_reading(replace(store, reading=Reading(depth=12)))

    def test_small_labels_in_a_mask_of_sixteen_bit_colours_are_not_lost(self, tmp_path):
        path = tmp_path / "a.png"
        cv2.imwrite(str(path), np.repeat((GREY > 100).astype(np.uint16)[..., None], 3, axis=2))
        with pytest.raises(UserError, match="--foreground 1"):
            read_mask(path)
        np.testing.assert_array_equal(read_mask(path, Reading(1)) == 255, GREY > 100)


class TestTiffThatPillowMisreads:
    @pytest.mark.parametrize("kind", [np.uint16, np.float32])
    def test_white_as_zero_is_refused_above_8_bits(self, tmp_path, kind):
        Image.fromarray(GREY.astype(kind) * 257).save(tmp_path / "a.tif", tiffinfo={262: 0})
        for read in (read_image, read_mask):
            with pytest.raises(UserError, match=r"a\.tif stores white as 0 in more than 8 bits"):
                read(tmp_path / "a.tif")

    def test_eight_bits_with_a_sign_are_refused(self, tmp_path):
        Image.fromarray(GREY).save(tmp_path / "a.tif", tiffinfo={339: 2})
        with pytest.raises(UserError, match=r"a\.tif has signed values of 8 bits"):
            read_image(tmp_path / "a.tif")
        Image.fromarray(GREY).save(tmp_path / "b.tif")
        np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), GREY)
