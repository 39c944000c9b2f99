from __future__ import annotations

import numpy as np
import pytest

from llmseg.data.download.layouts import skin
from llmseg.data.download.layouts.finders import find_cases
from llmseg.errors import UserError

MASKS = "HAM10000_segmentations_lesion_tschandl"


@pytest.fixture
def files(download):
    return download("ham10000")


def test_both_parts_of_the_images(files, in_memory, read):
    dataset_files = skin.find(in_memory(files))
    assert list(read(dataset_files)) == ["ISIC_0024306.jpg", "ISIC_0024307.jpg", "ISIC_0024316.jpg", "ISIC_0029306.jpg"]
    assert (dataset_files.unpaired, dataset_files.notes) == ((), ())


@pytest.mark.parametrize("full", [False, True])
def test_a_reversed_palette_means_what_it_shows(files, in_memory, read, png, reversed_png, half, full):
    mask = np.full_like(half, 255) if full else half
    files[f"{MASKS}/ISIC_0024306_segmentation.png"] = png(mask)
    files[f"{MASKS}/ISIC_0024307_segmentation.png"] = reversed_png(mask)
    cases = read(skin.find(in_memory(files)))
    for id in ("ISIC_0024306.jpg", "ISIC_0024307.jpg"):
        np.testing.assert_array_equal(cases[id].mask, mask)


@pytest.mark.parametrize("name", ["HAM10000_metadata", "HAM10000_metadata.csv", "HAM10000_metadata.tab"])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_images_of_one_lesion_are_a_group(files, in_memory, name, line, mark):
    table = files.pop("HAM10000_metadata").decode().replace("\n", line)
    if name.endswith("tab"):
        table = '"' + table.replace(line, f'"{line}"').replace(",", '"\t"') + '"'
    files[name] = mark + table.encode()
    groups = {item.key: item.group for item in skin.find(in_memory(files)).case_files}
    assert list(groups.values()) == ["HAM_0000001", "HAM_0000001", "HAM_0000002", "HAM_0000003"]


@pytest.mark.parametrize("table", [None, b"", b"something,else\n1,2\n"])
def test_without_the_table_a_note_says_what_it_means(files, in_memory, table):
    del files["HAM10000_metadata"]
    if table is not None:
        files["HAM10000_metadata.csv"] = table
    dataset_files = skin.find(in_memory(files))
    assert dataset_files.notes == ("HAM10000_metadata is missing: images of one lesion cannot be kept together",)
    assert [item.group for item in dataset_files.case_files] == [item.key for item in dataset_files.case_files]


def test_an_image_the_table_does_not_know(files, in_memory):
    files["HAM10000_metadata"] = b"lesion_id,image_id\nHAM_1,ISIC_0024306\nHAM_1"
    groups = {item.key: item.group for item in skin.find(in_memory(files)).case_files}
    assert groups["ISIC_0024306.jpg"] == "HAM_1"
    assert groups["ISIC_0024307.jpg"] == "ISIC_0024307.jpg"


def test_a_table_that_is_no_text(files, in_memory):
    files["HAM10000_metadata"] = b"\xff\xfe\x00"
    with pytest.raises(UserError, match=r"^HAM10000_metadata is no table"):
        skin.find(in_memory(files))


def test_what_stays_alone(files, in_memory):
    del files[f"{MASKS}/ISIC_0024306_segmentation.png"], files["HAM10000_images_part_2/ISIC_0029306.jpg"]
    assert skin.find(in_memory(files)).unpaired == (
        "HAM10000_images_part_1/ISIC_0024306.jpg",
        f"{MASKS}/ISIC_0029306_segmentation.png",
    )


def test_an_image_in_both_parts(files, in_memory):
    files["HAM10000_images_part_2/ISIC_0024306.jpg"] = files["HAM10000_images_part_1/ISIC_0024306.jpg"]
    with pytest.raises(UserError, match=r"part_1/ISIC_0024306\.jpg and .*part_2/ISIC_0024306\.jpg are the same case"):
        skin.find(in_memory(files))


@pytest.mark.parametrize("suffix", ["", "_segmentation", "_Segmentation"])
def test_folders_of_images_and_masks(in_memory, read, png, half, suffix):
    files = {"images/ISIC_0000001.jpg": png(half, "JPEG"), f"masks/ISIC_0000001{suffix}.png": png(half)}
    np.testing.assert_array_equal(read(find_cases("ham10000", in_memory(files)))["ISIC_0000001.jpg"].mask, half)
