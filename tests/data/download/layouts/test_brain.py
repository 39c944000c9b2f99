from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from llmseg.data.download.layouts import brain
from llmseg.data.download.layouts.finders import find_cases
from llmseg.errors import UserError


@pytest.fixture
def files(download):
    return download("brain")


def test_class_2_alone_is_taken(files, in_memory, read):
    dataset_files = brain.find(in_memory(files))
    assert list(read(dataset_files)) == ["Tr-me_0001.jpg", "Tr-me_0002.jpg", "Tr-me_0711.jpg"]
    assert all("/2/" in file.path for item in dataset_files.case_files for file in item.files)
    assert dataset_files.unpaired == ()


def test_what_stays_alone_shifts_nothing(files, in_memory, read):
    before = read(brain.find(in_memory(files)))
    del files["image/2/Tr-me_0001.jpg"], files["mask/2/Tr-me_0002_m.jpg"]
    dataset_files = brain.find(in_memory(files))
    assert dataset_files.unpaired == ("image/2/Tr-me_0002.jpg", "mask/2/Tr-me_0001_m.jpg")
    (case,) = read(dataset_files).values()
    np.testing.assert_array_equal(case.mask, before["Tr-me_0711.jpg"].mask)


def test_greys_of_a_mask_stay(files, in_memory, read, png):
    greys = np.linspace(0, 255, 48).astype(np.uint8).reshape(6, 8)
    files["mask/2/Tr-me_0001_m.png"] = png(greys)
    del files["mask/2/Tr-me_0001_m.jpg"]
    np.testing.assert_array_equal(read(brain.find(in_memory(files)))["Tr-me_0001.jpg"].mask, greys)


def test_jpeg_masks_are_read_as_pillow_reads_them(files, in_memory, read, tmp_path):
    (tmp_path / "m.jpg").write_bytes(files["mask/2/Tr-me_0711_m.jpg"])
    mask = read(brain.find(in_memory(files)))["Tr-me_0711.jpg"].mask
    np.testing.assert_array_equal(mask, np.asarray(Image.open(tmp_path / "m.jpg")))
    assert len(np.unique(mask)) > 2, "a JPEG mask is not binary"


@pytest.mark.parametrize("factor", [2, 3])
def test_a_mask_of_another_size_is_fitted_by_nearest_neighbour(files, in_memory, read, png, half, factor):
    files["image/2/Tr-me_0001.jpg"] = png(np.zeros((6 * factor, 8 * factor), np.uint8), "JPEG")
    files["mask/2/Tr-me_0001_m.png"] = png(half)
    del files["mask/2/Tr-me_0001_m.jpg"]
    mask = read(brain.find(in_memory(files)))["Tr-me_0001.jpg"].mask
    np.testing.assert_array_equal(mask, half.repeat(factor, 0).repeat(factor, 1))


@pytest.mark.parametrize("colour", [(0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 0), (0, 128, 0)])
def test_every_colour_is_foreground(files, in_memory, read, png, half, colour):
    files["mask/2/Tr-me_0001_m.png"] = png((half[..., None] // 255) * np.array(colour, np.uint8))
    del files["mask/2/Tr-me_0001_m.jpg"]
    np.testing.assert_array_equal(read(brain.find(in_memory(files)))["Tr-me_0001.jpg"].mask, half)


def test_coloured_jpeg_keeps_its_strongest_channel(files, in_memory, read, png):
    coloured = np.zeros((16, 16, 3), np.uint8)
    coloured[:8, :, 2] = 255
    files["image/2/Tr-me_0001.jpg"] = png(coloured, "JPEG")
    files["mask/2/Tr-me_0001_m.jpg"] = png(coloured, "JPEG")
    mask = read(brain.find(in_memory(files)))["Tr-me_0001.jpg"].mask
    np.testing.assert_array_equal(mask > 127, coloured[..., 2] > 127)


def test_plain_folders_are_taken_with_a_note(files, in_memory, read, half, png):
    plain = {"images/Tr-me_0001.jpg": files["image/2/Tr-me_0001.jpg"], "Masks/Tr-me_0001_m.png": png(half)}
    dataset_files = find_cases("brain", in_memory(plain))
    np.testing.assert_array_equal(read(dataset_files)["Tr-me_0001.jpg"].mask, half)
    assert dataset_files.notes == ("the official layout of brain was not found; folders of images and masks instead",)


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_two_files_of_one_case(files, in_memory, kind):
    path = {"image": "image/2/Tr-me_0001", "mask": "mask/2/Tr-me_0001_m"}[kind]
    files[f"{path}.png"] = files[f"{path}.jpg"]
    with pytest.raises(UserError, match=rf"{path}\.jpg and {path}\.png are the same case"):
        brain.find(in_memory(files))
