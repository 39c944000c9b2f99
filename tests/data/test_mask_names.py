"""Which names belong together: suffixes, folders per case, several masks of an image."""

from __future__ import annotations

import pytest

from llmseg.data.mask_names import SUFFIXES, find_part, pair_names, separate_roles, strip_number
from llmseg.errors import UserError

BUSI = ["b (1).png", "b (1)_mask.png", "b (1)_mask_1.png", "b (2).png", "b (2)_mask.png"]


def pair(images, masks=None, *, join=False, suffixes=SUFFIXES):
    tried = [suffix for suffix in suffixes if suffix or masks is not None]
    return pair_names(sorted(images), None if masks is None else sorted(masks), tried, join=join)


@pytest.mark.parametrize(
    ("path", "part"),
    [("a.png", ""), ("Train/a.png", "training"), ("x/VAL/images/a.png", "validation"), ("train/test/a.png", "test")],
)
def test_the_innermost_folder_tells_the_part(path, part):
    assert find_part(path) == part


class TestSeveralMasks:
    def test_they_are_refused_by_name(self):
        with pytest.raises(
            UserError, match=r"^image b \(1\)\.png has 2 masks: b \(1\)_mask\.png, b \(1\)_mask_1\.png; "
        ):
            pair(BUSI)

    def test_they_are_joined_if_that_is_said(self):
        found = pair(BUSI, join=True)
        assert dict(found.masks) == {
            "b (1).png": ("b (1)_mask.png", "b (1)_mask_1.png"),
            "b (2).png": ("b (2)_mask.png",),
        }
        assert (found.unpaired_images, found.unpaired_masks) == ((), ())

    @pytest.mark.parametrize("further", ["a_mask_2", "a_mask (2)", "a_mask-02", "a_mask2", "a_mask_b", "a_mask_left"])
    def test_whatever_tells_them_apart(self, further):
        for images, masks in (
            (["a.png"], ["a_mask.png", f"{further}.png"]),
            (["a.png", "a_mask.png", f"{further}.png"], None),
        ):
            with pytest.raises(UserError, match=r"image a\.png has 2 masks"):
                pair(images, masks)
            assert pair(images, masks, join=True).masks == {"a.png": ("a_mask.png", f"{further}.png")}

    def test_all_may_have_numbers(self):
        masks = ["a_1.png", "a_2.png", "b_1.png"]
        with pytest.raises(UserError, match=r"image a\.png has 2 masks: a_1\.png, a_2\.png"):
            pair(["a.png", "b.png"], masks)
        assert pair(["a.png", "b.png"], masks, join=True).masks == {
            "a.png": ("a_1.png", "a_2.png"),
            "b.png": ("b_1.png",),
        }

    def test_a_suffix_that_is_a_number_hides_no_other_mask(self):
        """The message for masks called a_1 advises that suffix; a_2 would be dropped."""
        with pytest.raises(UserError, match=r"image a\.png has 2 masks"):
            pair(["a.png"], ["a_1.png", "a_2.png"], suffixes=["_1"])

    def test_in_folders_of_their_own(self):
        masks = ["left/a.png", "right/a.png"]
        with pytest.raises(UserError, match=r"image a\.png has 2 masks: left/a\.png, right/a\.png"):
            pair(["a.png"], masks)
        assert pair(["a.png"], masks, join=True).masks == {"a.png": ("left/a.png", "right/a.png")}

    def test_numbers_of_images_are_no_masks(self):
        masks = [f"img_{k}_mask.png" for k in (1, 2, 3)]
        assert len(pair([f"img_{k}.png" for k in (1, 2, 3)], masks).masks) == 3
        assert pair(["img_1.png", "img_2.png"], ["img_1.png", "img_2.png", "img_3.png"]).unpaired_masks == (
            "img_3.png",
        )

    def test_a_suffix_is_no_letter(self):
        assert strip_number("a_m") == "a_m"
        assert pair(["a.png"], ["a.png", "a_m.png"]).unpaired_masks == ("a_m.png",)


class TestFolders:
    def test_names_are_compared_within_case_folders(self):
        images = [f"p{p}/images/s{k}.png" for p in (1, 2) for k in (1, 2)]
        masks = [name.replace("images", "masks") for name in images if name != "p2/images/s2.png"]
        found = pair(images, masks)
        assert dict(found.masks) == {name: (name.replace("images", "masks"),) for name in images[:3]}
        assert found.unpaired_images == ("p2/images/s2.png",)

    def test_a_mask_in_the_folder_of_another_patient_is_not_taken(self):
        assert pair(["p1/a.png", "p2/b.png"], ["p1/a.png", "p2/a.png", "p2/b.png"]).unpaired_masks == ("p2/a.png",)

    def test_folders_do_not_count_where_only_names_fit(self):
        assert pair(["p1/p1_s1.png", "p2/p2_s1.png"], ["p1_s1.png", "p2_s1.png"]).masks == {
            "p1/p1_s1.png": ("p1_s1.png",),
            "p2/p2_s1.png": ("p2_s1.png",),
        }

    @pytest.mark.parametrize(
        ("image", "mask"), [("image", "mask"), ("{p}_img", "{p}_label"), ("{p}", "mask"), ("t1", "seg")]
    )
    def test_a_folder_per_case_needs_no_names_that_agree(self, image, mask):
        files = [f"{p}/{kind.format(p=p)}.png" for p in ("10002", "10003") for kind in (image, mask)]
        found = pair(files)
        assert dict(found.masks) == {files[0]: (files[1],), files[2]: (files[3],)}
        assert found.unpaired_images == ()

    def test_all_masks_of_a_case_folder_belong_to_its_image(self):
        """As in the Data Science Bowl of 2018: a mask for each nucleus, called by a digest."""
        images, masks, others = separate_roles(
            ["x/images/x.png", "x/masks/f1.png", "x/masks/c7.png", "y/images/y.png", "y/masks/d2.png", "stage1.csv"]
        )
        assert others == ["stage1.csv"]
        with pytest.raises(UserError, match=r"image x/images/x\.png has 2 masks"):
            pair(images, masks)
        assert pair(images, masks, join=True).masks == {
            "x/images/x.png": ("x/masks/c7.png", "x/masks/f1.png"),
            "y/images/y.png": ("y/masks/d2.png",),
        }

    def test_unlike_names_are_not_paired_where_a_folder_has_several_images(self):
        assert pair(["p/images/a.png", "p/images/b.png"], ["p/masks/c.png"]).masks == {}

    def test_unlike_names_are_not_paired_where_others_agree(self):
        found = pair(["p/images/s1.png", "q/images/s2.png"], ["p/masks/s1.png", "q/masks/s3.png"])
        assert found.unpaired_images == ("q/images/s2.png",)

    def test_two_images_of_one_name_in_a_case_folder_are_refused(self):
        with pytest.raises(UserError, match=r"images p/a\.bmp, p/a\.png would share a mask"):
            pair(["p/a.bmp", "p/a.png", "q/a.png"], ["p/a.png", "q/a.png"])


def test_accents_in_two_spellings_are_one_name():
    assert pair(["Le\u0301a/x.png", "b/x.png"], ["L\u00e9a/x.png", "b/x.png"]).unpaired_images == ()
