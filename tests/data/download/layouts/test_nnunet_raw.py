from __future__ import annotations

import numpy as np
import pytest

from llmseg.data.download.layouts import nnunet_raw
from llmseg.errors import UserError


@pytest.fixture
def files(download):
    return download("nnunet")


def test_parts_and_names(files, in_memory, read):
    dataset_files = nnunet_raw.find(in_memory(files))
    assert [(item.key, item.part) for item in dataset_files.case_files] == [
        ("x_0000.png", "training"),
        ("y_0000.png", "training"),
        ("z_0000.png", "test"),
    ]
    assert all(set(np.unique(case.mask)) == {0, 255} for case in read(dataset_files).values())


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("kind", ["labels", "palette", "1-bit"])
def test_every_label_but_0_is_foreground(files, in_memory, read, png, reversed_png, half, colour, kind):
    labels = np.where(half, np.arange(48).reshape(6, 8) % 3 + 1, 0).astype(np.uint8)
    files["imagesTr/x_0000.png"] = png(np.zeros((6, 8, 3) if colour else (6, 8), np.uint8))
    files["labelsTr/x.png"] = {"labels": png(labels), "palette": reversed_png(255 - labels), "1-bit": png(half > 0)}[
        kind
    ]
    case = read(nnunet_raw.find(in_memory(files)))["x_0000.png"]
    np.testing.assert_array_equal(case.mask, half)
    assert case.image.shape == ((6, 8, 3) if colour else (6, 8))


def test_volumes(in_memory, read, nifti):
    volume = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    files = {"D/imagesTr/a_0000.nii.gz": nifti(volume), "D/labelsTr/a.nii.gz": nifti((volume % 3).astype(np.uint8))}
    dataset_files = nnunet_raw.find(in_memory(files))
    assert [(item.key, item.group, item.part) for item in dataset_files.case_files] == [("a", "a", "training")]
    for place, (id, case) in enumerate(read(dataset_files).items()):
        assert id == f"a_slice{place:03d}.png"
        np.testing.assert_array_equal(case.mask == 255, volume[..., place] % 3 != 0)
    assert {case.image.shape for case in read(nnunet_raw.find(in_memory(files), "display")).values()} == {(3, 2)}


def test_other_channels_are_passed_over(files, in_memory):
    files["imagesTr/x_0001.png"] = files["imagesTr/x_0000.png"]
    dataset_files = nnunet_raw.find(in_memory(files))
    assert dataset_files.case_files[0].files[0].path == "imagesTr/x_0000.png"
    assert dataset_files.unpaired == ()


def test_what_stays_alone(files, in_memory):
    del files["labelsTr/x.png"], files["imagesTs/z_0000.png"]
    assert nnunet_raw.find(in_memory(files)).unpaired == ("imagesTr/x_0000.png", "labelsTs/z.png")


def test_a_training_label_is_not_that_of_a_test_image(files, in_memory):
    files["labelsTs/x.png"] = files.pop("labelsTr/x.png")
    assert [item.key for item in nnunet_raw.find(in_memory(files)).case_files] == ["y_0000.png", "z_0000.png"]


@pytest.mark.parametrize(
    ("shape", "message"), [((6, 8, 3), "has 3 channels; labels have one"), ((8, 6), "is 6x8, its image")]
)
def test_bad_labels_are_named(files, in_memory, read, png, shape, message):
    files["labelsTr/x.png"] = png(np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match=rf"labelsTr/x\.png {message}"):
        read(nnunet_raw.find(in_memory(files)))


@pytest.mark.parametrize("place", ["imagesTr/x_0000", "labelsTr/x"])
def test_two_files_of_one_case(files, in_memory, place):
    files[f"{place}.bmp"] = files[f"{place}.png"]
    with pytest.raises(UserError, match=rf"{place}\.bmp and {place}\.png are the same case"):
        nnunet_raw.find(in_memory(files))
