from __future__ import annotations

import numpy as np
import pytest

from llmseg.data.download.layouts.case_files import (
    in_folder,
    index_files,
    make_mask,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.tree import File
from llmseg.errors import UserError


def file(path):
    return File(path, 0, bytes)


def test_pictures_are_told_by_their_extension():
    paths = ("a.PNG", "b.ppm.gz", "c.nii.gz", "d.txt", "e.jpeg")
    assert [picture.path for picture in select_pictures({path: file(path) for path in paths})] == [
        "a.PNG",
        "b.ppm.gz",
        "e.jpeg",
    ]


def test_in_folder():
    assert in_folder(file("A/Raw/a.png"), ("raw",))
    assert not in_folder(file("A/raw.png"), ("raw",))


def test_files_by_key():
    files = [file("b.png"), file("a.png"), file("x.txt")]
    by_key = index_files(files, lambda file: file.stem if file.extension == ".png" else None)
    assert {key: file.path for key, file in by_key.items()} == {"b": "b.png", "a": "a.png"}
    with pytest.raises(UserError, match=r"^a\.png and b/a\.png are the same case; move one of them away$"):
        index_files([*files, file("b/a.png")], lambda file: file.stem)


def test_images_and_masks_of_one_key_are_pairs():
    images = {key: file(f"images/{key}.png") for key in "cab"}
    masks = {key: file(f"masks/{key}.png") for key in "bcd"}
    pairs, unpaired = match_keys(images, masks)
    assert list(pairs) == ["b", "c"]
    assert pairs["b"] == (images["b"], masks["b"])
    assert unpaired == ("images/a.png", "masks/d.png")


class TestPictureCases:
    @pytest.fixture
    def pairs(self, in_memory, png, half):
        files = in_memory({"test/b.png": png(half // 2), "test/b_m.png": png(half), "a.png": png(half)})
        return {"1": (files["test/b.png"], files["test/b_m.png"]), "2": (files["a.png"], files["test/b_m.png"])}

    def test_ids_groups_and_parts(self, pairs, half):
        first, second = make_picture_cases(pairs, group=lambda image: image.stem * 2)
        assert (first.key, first.group, first.part) == ("a.png", "aa", "")
        assert (second.key, second.group, second.part) == ("b.png", "bb", "test")
        (case,) = second.read()
        assert case.id == "b.png"
        np.testing.assert_array_equal(case.image, half // 2)
        np.testing.assert_array_equal(case.mask, half)

    def test_each_case_is_a_group_of_its_own_unless_told(self, pairs):
        cases = make_picture_cases(pairs, id=lambda image: f"x/{image.name}")
        assert [(case.key, case.group) for case in cases] == [("x/a.png", "x/a.png"), ("x/b.png", "x/b.png")]

    def test_another_size_is_refused_or_resized(self, in_memory, png, half):
        files = in_memory({"a.png": png(np.zeros((12, 16), np.uint8)), "m.png": png(half)})
        pairs = {"a": (files["a.png"], files["m.png"])}
        (refusing,) = make_picture_cases(pairs)
        with pytest.raises(UserError, match=r"mask m\.png is 8x6, its image a\.png is 16x12 \(width x height\)"):
            refusing.read()
        (resizing,) = make_picture_cases(pairs, resize_masks=True)
        np.testing.assert_array_equal(resizing.read()[0].mask, half.repeat(2, 0).repeat(2, 1))

    def test_a_decoder_of_ones_own(self, pairs, half):
        (first, _) = make_picture_cases(pairs, decode=lambda file: 255 - half)
        np.testing.assert_array_equal(first.read()[0].mask, 255 - half)


def test_a_mask_is_white_where_it_is_true():
    assert make_mask(np.array([[True, False]])).tolist() == [[255, 0]]
