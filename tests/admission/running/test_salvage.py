from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmseg.admission import Layout, Mapped, Outcome, ScriptRun
from llmseg.admission.running.mapping import SCRIPTS
from llmseg.admission.running.salvage import Help, find_help

IDS = {"001", "002"}
MAPPED = (
    Mapped("masks", "masks", "main.py:1", SCRIPTS / "masks", "masks"),
    Mapped("D:\\gt", "masks", "main.py:1", SCRIPTS / "D:\\gt", "masks"),
    Mapped("D:\\out", "save", "main.py:2", SCRIPTS / "D:\\out", "folder"),
)


def ended(exception, printed=""):
    return ScriptRun(Outcome("script", exit_code=1, exception=exception, output=printed), Path(), MAPPED)


def missing(path):
    return ended(f"FileNotFoundError: [Errno 2] No such file or directory: {path!r}")


@pytest.mark.parametrize(
    ("run", "image", "mask"),
    [
        (missing("masks/001_m.jpg"), "1.png", "1_m.jpg"),
        (missing("D:\\gt/002.jpg"), "1.png", "1.jpg"),
        (missing("images/002.bmp"), "1.bmp", "1_seg.png"),
        (ended("FileNotFoundError: Mask file D:\\gt/002_m.tif not found."), "1.png", "1_m.tif"),
        (
            ended("AttributeError: 'NoneType' object has no attribute 'shape'", "imread_('masks/001_gt.png'): can't"),
            "1.png",
            "1_gt.png",
        ),
        (ended("ValueError: With n_samples=0, test_size=0.2"), "1.jpg", "1.jpg"),
    ],
)
def test_names_are_learnt(run, image, mask):
    help = find_help(run, IDS, Help(Layout()), iter([Layout(), Layout(".jpg", "", ".jpg")]), told_names=False)
    assert (help.layout.image_name("1"), help.layout.mask_name("1"), help.edits) == (image, mask, ())


DIVIDED = Layout(mask_suffix="_m", parts=("training", "test"))
TEN = {f"{number:03d}" for number in range(1, 11)}


def missing_in(folder, name):
    mapped = (
        Mapped("data/train", "data", "main.py:1", SCRIPTS / "data" / "train", "images and masks", "training"),
        Mapped("data/test", "data", "main.py:2", SCRIPTS / "data" / "test", "images and masks", "test"),
    )
    return ScriptRun(missing(f"data/{folder}/{name}").outcome, Path(), mapped)


@pytest.mark.parametrize(
    ("run", "layout", "first", "digits"),
    [
        (missing_in("train", "000.png"), DIVIDED, 0, 3),
        (missing_in("train", "0_m.png"), DIVIDED, 0, 1),
        (missing_in("test", "001.png"), DIVIDED, 1, 3),  # that case is in another part
        (missing_in("test", "01.png"), DIVIDED, 1, 2),
        (missing("masks/0000.png"), Layout(), 0, 4),
        (missing_in("test", "2.png"), replace(DIVIDED, first_number=0, digits=1), 1, 1),  # there are 0 and 1
    ],
)
def test_that_cases_are_counted_is_learnt(run, layout, first, digits):
    help = find_help(run, TEN, Help(layout), iter(()), told_names=False)
    assert (help.layout.first_number, help.layout.digits) == (first, digits)


def test_a_number_that_no_case_can_have_teaches_nothing():
    assert find_help(missing_in("train", "20231.png"), TEN, Help(DIVIDED), iter(()), told_names=False) is None


def test_names_of_masks_are_learnt_where_cases_are_counted():
    now = Help(replace(DIVIDED, first_number=0))
    help = find_help(missing_in("test", "001_gt.jpg"), TEN, now, iter(()), told_names=False)
    assert (help.layout.mask_name("001"), help.layout.first_number) == ("001_gt.jpg", 0)


def test_other_names_than_were_told_are_an_edit():
    help = find_help(missing("masks/001_m.jpg"), IDS, Help(Layout()), iter(()), told_names=True)
    assert [each.kind for each in help.edits] == ["names of files"]


@pytest.mark.parametrize(
    "run",
    [
        missing("D:\\out/loss.csv"),
        ended("OSError: Cannot save file into a non-existent directory: 'D:\\out'"),
    ],
)
def test_a_folder_for_results(run):
    help = find_help(run, IDS, Help(Layout()), iter(()), told_names=False)
    assert (help.makes_folders, help.edits) == (True, ())  # its path is given, as those of the cases are
    assert find_help(missing("D:\\out/loss.csv"), IDS, help, iter(()), told_names=False) is None
    within = missing("D:\\out/plots/loss.png")  # a folder that only the scripts know of
    assert find_help(within, IDS, Help(Layout()), iter(()), told_names=False) is None


def test_more_cases():
    run = ended("ValueError: Sample larger than population or is negative")
    help = find_help(run, IDS, Help(Layout()), iter(()), told_names=False)
    assert (help.is_larger, help.edits) == (True, ())


def test_sides_that_can_be_halved():
    run = ended("RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 24 but got size 25")
    help = find_help(run, IDS, Help(Layout()), iter(()), told_names=False)
    assert (help.has_even_sides, help.edits) == (True, ())
    assert find_help(run, IDS, help, iter(()), told_names=False) is None


@pytest.mark.parametrize("exception", [None, "NameError: name 'nn' is not defined", "RuntimeError: size mismatch"])
def test_no_help(exception):
    assert find_help(ended(exception), IDS, Help(Layout()), iter([Layout(".tif")]), told_names=False) is None
