from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest

from llmseg.data.catalog import dataset_names
from llmseg.data.download.layouts.finders import find_cases, resolve_name
from llmseg.data.reading import Reading
from llmseg.errors import UserError

COUNTS = {
    "bagls": 7,
    "bolus": 3,
    "brain": 3,
    "ham10000": 4,
    "umd": 3,
    "retina": 5,
    "drive": 2,
    "stare": 2,
    "chase_db1": 3,
    "hrf": 3,
    "folder": 3,
    "nnunet": 3,
    "medsegbench": 3,
}


def unpacked(id, download):
    if id == "stare":
        return {f"stare/{name}{suffix}.ppm": b"" for name in ("im0001", "im0002") for suffix in ("", ".ah")}
    if id == "medsegbench":
        with np.load(io.BytesIO(download(id)["some_128.npz"])) as file:
            return {f"some_128/{name}.npy": _array(file[name]) for name in file}
    return download(id)


def _array(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


@pytest.mark.parametrize("id", COUNTS)
def test_every_official_layout_is_found_without_notes(id, download, in_memory):
    dataset_files = find_cases(id, in_memory(unpacked(id, download)))
    assert (len(dataset_files.case_files), dataset_files.notes) == (COUNTS[id], ())


@pytest.mark.parametrize("id", dataset_names())
def test_every_dataset_has_a_finder(id, in_memory):
    with pytest.raises(UserError, match=f"^no case of {id} among 0 files"):
        find_cases(id, in_memory({}))


@pytest.mark.parametrize(
    ("name", "id"),
    [
        *((id, id) for id in COUNTS),
        ("Folder", "folder"),
        ("Skin", "ham10000"),
        ("UMD uterine myoma", "umd"),
        ("MedSegBench", "medsegbench"),
        ("chase", "chase_db1"),
    ],
)
def test_names(name, id):
    assert resolve_name(name) == id


@pytest.mark.parametrize(
    ("name", "near"), [("bagl", "; did you mean 'bagls'?"), ("nnU-Net", "; did you mean 'nnunet'?"), ("zzzzzz", "")]
)
def test_unknown_names(name, near):
    with pytest.raises(UserError) as error:
        resolve_name(name)
    assert str(error.value) == f"no dataset or layout '{name}'{near}; known are {', '.join(COUNTS)}"


@pytest.mark.parametrize("id", [id for id in COUNTS if id not in ("umd", "nnunet")])
def test_pictures_have_no_orientation(id):
    with pytest.raises(UserError, match=f"--orientation is for volumes; {id} is a set of pictures"):
        find_cases(id, {}, "display")


@pytest.mark.parametrize("id", ["umd", "nnunet", "bagls"])
def test_unknown_orientations(id, download, in_memory):
    with pytest.raises(UserError, match="orientation is 'sideways'; it may be study or display"):
        find_cases(id, in_memory(unpacked(id, download)), "sideways")


@pytest.mark.parametrize("id", COUNTS)
def test_nothing_found_says_what_is_expected(id):
    with pytest.raises(UserError, match=rf"^no case of {id} among 0 files; expected are .") as error:
        find_cases(id, {})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("id", ["bagls", "brain", "ham10000", "umd", "drive", "hrf", "chase_db1", "folder", "nnunet"])
def test_half_a_dataset(id, download, in_memory):
    dataset_files = find_cases(id, in_memory(unpacked(id, download)))
    images = in_memory({item.files[0].path: b"" for item in dataset_files.case_files})
    with pytest.raises(UserError, match=rf"no case of {id} among {len(images)} files.* without its partner"):
        find_cases(id, images)


@pytest.mark.parametrize("id", ["bagls", "ham10000", "stare", "chase_db1", "hrf", "drive"])
def test_plain_folders_are_taken_with_a_note(id, download, in_memory):
    dataset_files = find_cases(id, in_memory(download("folder")))
    assert dataset_files.notes == (f"the official layout of {id} was not found; folders of images and masks instead",)


def test_a_case_twice_is_named(download, in_memory):
    files = download("bagls")
    copy = {f"copy/{path}": content for path, content in files.items() if path.startswith("test/0")}
    with pytest.raises(UserError, match=r"copy/test/0\.png and test/0\.png are the same case, test/0\.png"):
        find_cases("bagls", in_memory({**files, **copy}))


COPIES = {
    "bagls": ("12.png", "12_seg.png"),
    "brain": ("Tr-me_0711.png", "Tr-me_0711_m.png"),
    "ham10000": ("ISIC_0024306.png", "ISIC_0024306.png"),
    "drive": ("21_training.png", "21_training.png"),
    "stare": ("im0001.png", "im0001.png"),
    "chase_db1": ("Image_01L.png", "Image_01L.png"),
    "hrf": ("01_h.png", "01_h.png"),
    "retina": ("01_h_HRF.png", "01_h_HRF.png"),
    "bolus": ("a.png", "a.png"),
}


@pytest.mark.parametrize("folders", [("images", "masks"), ("Images", "Masks"), ("train/images", "train/masks")])
@pytest.mark.parametrize("id", COPIES)
def test_copies_in_two_folders(id, folders, in_memory, read, png, half):
    image, mask = COPIES[id]
    files = {f"x/{folders[0]}/{image}": png(half // 2), f"x/{folders[1]}/{mask}": png(half)}
    dataset_files = find_cases(id, in_memory(files))
    (case,) = read(dataset_files).values()
    np.testing.assert_array_equal(case.mask, half)
    np.testing.assert_array_equal(case.image, half // 2)
    assert dataset_files.unpaired == ()


def test_a_copy_of_brain_has_the_oddities_of_the_original(in_memory, read, png, half):
    colour = np.zeros((6, 8, 3), np.uint8)
    colour[..., 2] = half
    files = {
        "images/a.png": png(half),
        "masks/a.png": png(colour),
        "images/b.png": png(half),
        "masks/b.png": png(half.repeat(2, 0).repeat(2, 1)),
    }
    cases = read(find_cases("brain", in_memory(files)))
    np.testing.assert_array_equal(cases["a.png"].mask, half)
    np.testing.assert_array_equal(cases["b.png"].mask, half)


def test_a_copy_of_bagls_keeps_the_videos(in_memory, png, half):
    files = {
        **{f"images/{number}.png": png(half) for number in range(3)},
        **{f"masks/{number}_seg.png": png(half) for number in range(3)},
        **{f"images/{number}.meta": json.dumps({"Video Id": number // 2}).encode() for number in range(3)},
    }
    groups = [item.group for item in find_cases("bagls", in_memory(files)).case_files]
    assert groups == ["video 0", "video 0", "video 1"]


@pytest.mark.parametrize(
    ("id", "mask"),
    [
        ("bagls", "test/0_seg."),
        ("ham10000", "_segmentation."),
        ("brain", "mask/2/"),
        ("chase_db1", "_1stHO."),
        ("drive", "_manual1."),
        ("bolus", "masks/"),
    ],
)
def test_a_second_mask_is_refused_or_joined_in_official_layouts_too(id, mask, download, in_memory, read, png):
    files = download(id)
    first = next(path for path in files if mask in path)
    second = f"{first[:-4]}_1.png"
    plain = read(find_cases(id, in_memory(files)))
    content = png(np.full(next(iter(plain.values())).mask.shape, 255, np.uint8))
    with pytest.raises(UserError, match=rf"has 2 masks: {re.escape(first)}, {re.escape(second)}.*--several-masks=join"):
        find_cases(id, in_memory({**files, second: content}))
    joined = read(find_cases(id, in_memory({**files, second: content}), reading=Reading(several_masks="join")))
    full = [case.id for case in joined.values() if (case.mask == 255).all()]
    assert len(full) == 1
    assert all((joined[key].mask == plain[key].mask).all() for key in plain if joined[key].id not in full)


@pytest.mark.parametrize("id", ["umd", "nnunet", "medsegbench"])
def test_several_masks_are_for_pictures(id):
    with pytest.raises(UserError, match="--several-masks is for pictures"):
        find_cases(id, {}, reading=Reading(several_masks="join"))
