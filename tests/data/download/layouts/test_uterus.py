from __future__ import annotations

import numpy as np
import pytest

from llmseg.data.download.layouts import uterus
from llmseg.errors import UserError

NAMES = ["UMD_221129_001", "UMD_221129_002", "UMD_221129_037"]


@pytest.fixture
def files(download):
    return download("umd")


def converted(files, numbers=(1, 2)):
    """Return the study's folder: running numbers, and other names of images and labels."""
    made = {"dataset.json": b"{}"}
    for place, number in enumerate(numbers):
        name = f"UMD_221129_{number:03d}"
        kinds = {path.rpartition("/")[2]: content for path, content in files.items() if f"{name}/" in path}
        labels = next(content for path, content in kinds.items() if "_seg" in path or "_seq" in path)
        made[f"Dataset003_UMD/imagesTr/case_{place:04d}_{name}_t2_0000.nii.gz"] = kinds[f"{name}_t2.nii.gz"]
        made[f"Dataset003_UMD/labelsTr/case_{place:04d}_{name}_t2.nii.gz"] = labels
    return made


def test_each_patient_is_a_group_of_slices(files, in_memory, read):
    dataset_files = uterus.find(in_memory(files))
    assert [(item.key, item.group, item.part) for item in dataset_files.case_files] == [
        (name, name, "") for name in NAMES
    ]
    assert list(read(dataset_files)) == [f"{name}_slice{place:03d}.png" for name in NAMES for place in range(3)]
    assert dataset_files.unpaired == ()


@pytest.mark.parametrize("name", ["UMD_221129_001_seq.nii.gz", "UMD_2221129_001_seg.nii.gz", "UMD_221129_001_seg.nii"])
@pytest.mark.parametrize("packed", [False, True])
def test_wrong_names_do_not_matter(files, in_memory, read, nifti, name, packed):
    labels = np.full((4, 5, 3), 3, np.int16)
    del files["UMD/UMD/UMD_221129_001/UMD_221129_001_seg.nii.gz"]
    files[f"UMD/UMD/UMD_221129_001/{name}"] = nifti(labels, packed=packed)
    assert (read(uterus.find(in_memory(files)))["UMD_221129_001_slice002.png"].mask == 255).all()


def test_label_3_alone_is_foreground(files, in_memory, read, nifti):
    labels = np.arange(60).reshape(4, 5, 3) % 5
    files["UMD/UMD/UMD_221129_001/UMD_221129_001_seg.nii.gz"] = nifti(labels.astype(np.uint8))
    cases = read(uterus.find(in_memory(files)))
    for place in range(3):
        mask = cases[f"UMD_221129_001_slice{place:03d}.png"].mask
        np.testing.assert_array_equal(mask, np.where(labels[..., place] == 3, 255, 0))


def test_the_studys_folder_gives_the_same_slices_by_its_names(files, in_memory, read):
    official = read(uterus.find(in_memory(files)))
    dataset_files = uterus.find(in_memory(converted(files)))
    assert [(item.key, item.group) for item in dataset_files.case_files] == [
        ("case_0000_UMD_221129_001", "UMD_221129_001"),
        ("case_0001_UMD_221129_002", "UMD_221129_002"),
    ]
    for id, case in read(dataset_files).items():
        np.testing.assert_array_equal(case.image, official[id[len("case_0000_") :]].image)
        np.testing.assert_array_equal(case.mask, official[id[len("case_0000_") :]].mask)


def test_orientation_is_handed_on(files, in_memory, read):
    study, display = (read(uterus.find(in_memory(files), way)) for way in ("study", "display"))
    assert study.keys() == display.keys()
    assert {case.image.shape for case in study.values()} == {(4, 5)}
    assert {case.image.shape for case in display.values()} == {(5, 4)}


@pytest.mark.parametrize("folder", [False, True])
def test_what_stays_alone(files, in_memory, folder):
    files = converted(files) if folder else files
    labels = next(path for path in files if "labelsTr/case_0000" in path or "UMD_221129_001_seg" in path)
    image = next(path for path in files if "001_t2" in path and path != labels and "._" not in path)
    images = next(path for path in files if "002_t2" in path and "labelsTr" not in path and "._" not in path)
    other = next(path for path in files if "labelsTr/case_0001" in path or "UMD_221129_002_seq" in path)
    del files[labels], files[images]
    dataset_files = uterus.find(in_memory(files))
    assert sorted(dataset_files.unpaired) == sorted([image, other])


def test_the_folder_of_one_patient(files, in_memory):
    one = {path.rpartition("/")[2]: content for path, content in files.items() if "129_001/UMD" in path}
    assert [item.key for item in uterus.find(in_memory(one)).case_files] == ["UMD_221129_001"]


@pytest.mark.parametrize("name", ["again_t2.nii.gz", "again_seg.nii.gz"])
def test_two_files_of_one_kind(files, in_memory, name):
    files[f"UMD/UMD/UMD_221129_001/{name}"] = b""
    with pytest.raises(UserError, match=r"UMD_221129_001/.* and .* are of one patient; move one of them away"):
        uterus.find(in_memory(files))


def test_a_patient_twice(files, in_memory):
    copy = {f"copy/{path}": content for path, content in files.items() if "UMD_221129_001/" in path}
    with pytest.raises(
        UserError, match=r"^UMD/UMD/UMD_221129_001/.* and copy/UMD.* are of one patient|^copy/.* and UMD/"
    ):
        uterus.find(in_memory({**files, **copy}))
