from __future__ import annotations

import json

import numpy as np
import pytest

from llmseg.data.download.layouts import bagls
from llmseg.errors import UserError


@pytest.fixture
def files(download):
    return download("bagls")


def test_frames_of_one_number_and_part_are_a_case(files, in_memory, read, png, half):
    for number in (2, 10):
        files[f"training/{number}.png"] = png(np.full((6, 8, 3), number, np.uint8))
        files[f"training/{number}_seg.png"] = png(half // 255 * 255 if number == 10 else 255 - half)
    dataset_files = bagls.find(in_memory(files))
    cases = read(dataset_files)
    assert sorted(cases) == sorted(
        f"{p}/{n}.png" for p, ns in (("training", (0, 1, 2, 10)), ("test", (0, 2, 10))) for n in ns
    )
    assert {item.key: item.part for item in dataset_files.case_files} == {id: id.split("/")[0] for id in cases}
    for number, mask in ((2, 255 - half), (10, half)):
        assert (cases[f"training/{number}.png"].image == number).all()
        np.testing.assert_array_equal(cases[f"training/{number}.png"].mask, mask)
    assert dataset_files.unpaired == ()


def test_frames_of_one_video_are_a_group(files, in_memory):
    groups = {item.key: item.group for item in bagls.find(in_memory(files)).case_files}
    assert groups["training/0.png"] == groups["training/1.png"] == "video training0"
    assert len(set(groups.values())) == 6


@pytest.mark.parametrize("meta", [None, {"Video Id": None}, {"Video Id": ""}, {"Video Id": " "}, {}, [1]])
def test_a_frame_of_unknown_video_is_a_group_of_its_own(files, in_memory, meta):
    del files["test/0.meta"]
    if meta is not None:
        files["test/0.meta"] = json.dumps(meta).encode()
    groups = {item.key: item.group for item in bagls.find(in_memory(files)).case_files}
    assert groups["test/0.png"] == "test/0.png"
    assert groups["test/2.png"] == "video test1"


def test_a_video_may_have_the_number_0(files, in_memory):
    files["test/0.meta"] = b'{"Video Id": 0}'
    assert {item.key: item.group for item in bagls.find(in_memory(files)).case_files}["test/0.png"] == "video 0"


def test_frames_and_masks_that_stay_alone_shift_nothing(files, in_memory, read):
    before = read(bagls.find(in_memory(files)))
    del files["training/1_seg.png"], files["test/2.png"]
    dataset_files = bagls.find(in_memory(files))
    assert dataset_files.unpaired == ("test/2_seg.png", "training/1.png")
    after = read(dataset_files)
    assert before.keys() - after.keys() == {"training/1.png", "test/2.png"}
    for id, case in after.items():
        np.testing.assert_array_equal(case.mask, before[id].mask)


def test_one_flat_folder(files, in_memory):
    flat = {path.replace("training/", "subset/"): c for path, c in files.items() if path.startswith("training/")}
    case_files = bagls.find(in_memory(flat)).case_files
    assert [(item.key, item.part) for item in case_files] == [(f"{n}.png", "") for n in (0, 1, 10, 2)]
    assert case_files[0].group == case_files[1].group == "video training0"


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe{}"])
def test_damaged_facts_are_named(files, in_memory, content):
    files["test/2.meta"] = content
    with pytest.raises(UserError, match=r"^test/2\.meta is damaged .*download it again$"):
        bagls.find(in_memory(files))


def test_two_frames_of_one_number(files, in_memory):
    files["test/2.jpg"] = files["test/2.png"]
    with pytest.raises(UserError, match=r"test/2\.jpg and test/2\.png are the same case"):
        bagls.find(in_memory(files))


def test_damaged_frame_is_named(files, in_memory, read):
    files["test/2_seg.png"] = files["test/2_seg.png"][:40]
    with pytest.raises(UserError, match=r"test/2_seg\.png is not an image"):
        read(bagls.find(in_memory(files)))
