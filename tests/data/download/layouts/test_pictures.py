from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmseg.data.download.layouts.pictures import find_folders
from llmseg.data.download.tree import File
from llmseg.data.mask_names import IMAGE_FOLDERS, MASK_FOLDERS, SUFFIXES
from llmseg.data.reading import Reading
from llmseg.errors import UserError


def named(*paths):
    return {path: File(path, 1, bytes) for path in sorted(paths)}


def pairs(dataset_files):
    return {item.key: item.files[1].path for item in dataset_files.case_files}


@pytest.mark.parametrize("images", IMAGE_FOLDERS)
def test_known_folders(images):
    for masks in MASK_FOLDERS:
        dataset_files = find_folders(named(f"deep/{images.title()}/a.jpg", f"deep/{masks.upper()}/a.png"))
        assert pairs(dataset_files) == {"a.jpg": f"deep/{masks.upper()}/a.png"}


@given(
    st.lists(st.from_regex(r"[a-l]{1,4}", fullmatch=True), min_size=1, max_size=8, unique=True),
    st.sampled_from(SUFFIXES),
    st.booleans(),
    st.integers(0, 7),
)
def test_each_image_gets_the_mask_of_its_name(stems, suffix, together, without):
    images, masks = ("all", "all") if together else ("images", "masks")
    if together and not suffix:
        return
    masked = [stem for place, stem in enumerate(stems) if place != without]
    files = named(*(f"{images}/{s}.png" for s in stems), *(f"{masks}/{s}{suffix}.png" for s in masked))
    dataset_files = find_folders(files)
    assert pairs(dataset_files) == {f"{stem}.png": f"{masks}/{stem}{suffix}.png" for stem in masked}
    assert set(dataset_files.unpaired) == {f"{images}/{stem}.png" for stem in stems if stem not in masked}


def test_the_innermost_folder_decides():
    assert pairs(find_folders(named("masks/images/a.png", "images/masks/a.png"))) == {"a.png": "images/masks/a.png"}


def test_parts_keep_files_of_one_name_apart():
    files = named(*(f"{part}/{kind}/a.png" for part in ("train", "val", "test") for kind in ("images", "masks")))
    case_files = find_folders(files).case_files
    assert [(item.key, item.part, item.files[1].path) for item in case_files] == [
        ("test/a.png", "test", "test/masks/a.png"),
        ("training/a.png", "training", "train/masks/a.png"),
        ("validation/a.png", "validation", "val/masks/a.png"),
    ]


def test_the_studys_slices_of_myoma():
    kinds = ("images", "masks_wall", "masks_cavity", "masks_myoma", "masks_cyst")
    dataset_files = find_folders(named(*(f"{kind}/case_0039_UMD_221129_055_slice013.png" for kind in kinds)))
    assert list(pairs(dataset_files).values()) == ["masks_myoma/case_0039_UMD_221129_055_slice013.png"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("images/a.png", "images/a.jpg", "masks/a.png"), "images images/a.jpg, images/a.png would share a mask"),
        (("images/a.png", "masks/a.png", "masks/a.gif"), "images/a.png has 2 masks: masks/a.gif, masks/a.png"),
        (("images/a.png", "gt/a.png", "masks/a.png"), "images/a.png has 2 masks: gt/a.png, masks/a.png"),
    ],
)
def test_what_is_ambiguous_is_named(files, message):
    with pytest.raises(UserError, match=message):
        find_folders(named(*files))


def test_files_that_are_no_pictures_do_not_matter():
    assert find_folders(named("images/a.txt", "masks/a.txt", "readme.md")).case_files == ()


def test_sizes_must_agree(in_memory, png, read):
    files = {"images/a.png": png(np.zeros((6, 8), np.uint8)), "masks/a.png": png(np.zeros((8, 6), np.uint8))}
    with pytest.raises(UserError, match=r"mask masks/a\.png is 6x8, its image images/a\.png is 8x6 \(width x height\)"):
        read(find_folders(in_memory(files)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_labels_instead_of_masks_are_named(in_memory, png, read, half, dtype):
    files = {"images/a.png": png(half), "masks/a.png": png((half > 0).astype(dtype))}
    with pytest.raises(UserError, match=r"mask masks/a\.png has values 0, 1, where .*--foreground 1"):
        read(find_folders(in_memory(files)))


def test_several_masks_are_joined_if_that_is_said(in_memory, png, read, half):
    files = in_memory({"a.png": png(half // 2), "a_mask.png": png(half), "a_mask_1.png": png(255 - half)})
    with pytest.raises(UserError, match=r"image a\.png has 2 masks: a_mask\.png, a_mask_1\.png"):
        find_folders(files)
    cases = read(find_folders(files, reading=Reading(several_masks="join")))
    assert (cases["a.png"].mask == 255).all()


def test_a_folder_per_patient_with_the_same_names():
    files = named(*(f"set/{patient}/{kind}/1.png" for patient in "ab" for kind in ("images", "masks")))
    assert pairs(find_folders(files)) == {"a/1.png": "set/a/masks/1.png", "b/1.png": "set/b/masks/1.png"}


def test_what_is_left_out_is_counted_and_named():
    files = named("images/a.png", "masks/a.png", "images/b.dcm", "overview.png", "readme.txt")
    formats, places = find_folders(files).notes
    assert formats.startswith("1 files are left out, for they are not .png, ")
    assert formats.endswith(": images/b.dcm")
    assert places == "1 images in no folder of images or masks are left out: overview.png"
